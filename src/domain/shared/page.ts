/** How many items a page has unless the caller says. */
export const DEFAULT_PAGE_SIZE = 50;

/** One page of a list. */
export interface Page<T> {
  readonly items: T[];
  /** Id of the last item, after which the next page begins; null on the last page. */
  readonly next: string | null;
}

/** Cuts a page out of `rows`, which were read with one row more than `size`, to see whether there is a next page. */
export function pageOf<T extends { readonly id: string }>(rows: readonly T[], size: number): Page<T> {
  const items = rows.slice(0, size);
  return { items, next: rows.length > size ? items.at(-1)!.id : null };
}
