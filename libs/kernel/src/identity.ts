/** A caller, as somebody trustworthy has described it. */
export interface Identity {
  /** Stable id of the person or service. */
  readonly subject: string;
  /** What it may do; `*` is everything. */
  readonly permissions: readonly string[];
}

/** Names of permissions: `ordering:write`, `operations`. */
export const PERMISSION_PATTERN = /^[a-z][a-z0-9-]*(?::[a-z][a-z0-9-]*)*$/;

/** The permission that everybody has, also those whom nobody knows. */
export const PUBLIC = 'public';

/** The system itself: what it does because of an event, a timer or a start, and not because a caller wants it. */
export const SYSTEM: Identity = { subject: 'system', permissions: ['*'] };

/** Whether a caller may do what a permission is for. */
export function grants({ permissions }: Identity, permission: string): boolean {
  return permissions.includes(permission) || permissions.includes('*');
}
