/** What tells a row of a table from all others: whose it is, and its id. Tables that belong to nobody have an empty tenant. */
export interface RowKey {
  readonly tenantId: string;
  readonly id: string;
}

/** The key as one text. Postgres stores no text with the character between the two. */
export function nameOf({ tenantId, id }: RowKey): string {
  return `${tenantId}\0${id}`;
}

/** Order of keys: the same for everybody who writes several rows. */
export function compareKeys(left: RowKey, right: RowKey): number {
  if (left.tenantId !== right.tenantId) return left.tenantId < right.tenantId ? -1 : 1;
  return left.id < right.id ? -1 : 1;
}
