/** Members that must never be in a log. */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'set-cookie', 'x-api-key', 'password', 'secret', 'token']);
const HIDDEN = '(hidden)';

/**
 * The same value with its secrets hidden, those of its members up to so many levels below included. It is copied only where there is
 * one: nearly no line has any, and each would pay for a copy.
 */
export function withoutSecrets(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const members = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const member = members[name];
    if (member === undefined) continue;
    const shown = SECRETS.has(name) ? HIDDEN : levels > 0 ? withoutSecrets(member, levels - 1) : member;
    if (shown === member) continue;
    copy ??= copyOf(value);
    copy[name] = shown;
  }
  return copy ?? value;
}

function copyOf(value: object): Record<string, unknown> {
  return Object.assign(Array.isArray(value) ? [] : (Object.create(Object.getPrototypeOf(value) as object | null) as object), value) as Record<string, unknown>;
}
