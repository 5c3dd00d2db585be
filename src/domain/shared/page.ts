import { DomainError, type ErrorDefinition } from '@nestbox/kernel';

/** How many items a page has unless the caller says. */
export const DEFAULT_PAGE_SIZE = 50;

/** One page of a list. */
export interface Page<T> {
  readonly items: T[];
  /** Where the next page begins; null on the last one. */
  readonly nextCursor: string | null;
}

/** The cursor does not come from an earlier page. */
export class InvalidCursor extends DomainError {
  static readonly definition = {
    code: 'paging.invalid-cursor', kind: 'invalid', title: 'Invalid cursor',
    cause: 'The cursor does not come from an earlier page of this list.',
    cure: 'Use `nextCursor` of an earlier page as it is, or none to start at the beginning.',
  } as const satisfies ErrorDefinition;

  constructor(cursor: string) {
    super(InvalidCursor.definition, `"${cursor}" is not a cursor of this list. Use the nextCursor of an earlier page, or none to start at the beginning.`);
  }
}

/** Refusals that lists of every context have in common. */
export const pagingErrors = [InvalidCursor] as const;

/**
 * Cuts a page out of `rows`, which were read with one row more than `size`, to see whether there is a next page.
 * The cursor is the id of the last item, encoded so that nobody builds on what is in it.
 */
export function pageOf<T extends { readonly id: string }>(rows: readonly T[], size: number): Page<T> {
  const items = rows.slice(0, size);
  const last = rows.length > size ? items.at(-1) : undefined;
  return { items, nextCursor: last ? Buffer.from(last.id).toString('base64url') : null };
}

/**
 * The id after which the page begins; undefined for the first page.
 * @param isId tells ids of this list from anything else
 * @throws InvalidCursor
 */
export function afterCursor(cursor: string | undefined, isId: (id: string) => boolean): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString();
  if (!isId(id)) throw new InvalidCursor(cursor);
  return id;
}
