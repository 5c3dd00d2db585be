import { DomainError } from '@nestbox/kernel';
import { memberName } from '../lane-claims.js';
import { operationsErrors } from './errors.js';
import type { OperatedContext } from './operated-context.js';

/** A reader that is gone for good. */
export interface ForgottenReader {
  readonly reader: string;
  /** The context whose log it has read; all of them when not given. */
  readonly source?: string;
}

/**
 * Removes the positions and the trouble of a reader that will not come back, so that it keeps no events any more. Should
 * it come back all the same, it is a new reader.
 * @returns how many lanes it had
 * @throws DomainError `operations.no-such-reader`; `operations.reader-is-alive` while a process runs it
 */
export async function forgetReader({ definition, db }: OperatedContext, { reader, source }: ForgottenReader): Promise<number> {
  const s = `"${db.schema}"`;
  const transaction = await db.begin();
  const { client } = transaction;
  const of = [reader, source ?? null];
  try {
    const { rows } = await client.query<{ lanes: number; alive: boolean }>(
      `select count(distinct (source, lane))::int lanes, exists (select 1 from nb.member where reader = $3 and until > clock_timestamp()) alive
       from ${s}.cursor where reader = $1 and ($2::text is null or source = $2)`,
      [...of, memberName(reader, definition.name)],
    );
    const { lanes, alive } = rows[0]!;
    if (lanes === 0) throw new DomainError(operationsErrors.noSuchReader, `No reader "${reader}" has ever run in "${definition.name}". See \`reader list\` for those that have.`);
    if (alive) throw new DomainError(operationsErrors.readerIsAlive, `"${reader}" is running. Take it out of the code, or stop the services that run it, before it is forgotten.`);
    for (const table of ['cursor', 'trouble', 'attempt']) await client.query(`delete from ${s}.${table} where reader = $1 and ($2::text is null or source = $2)`, of);
    await transaction.commit([]);
    return lanes;
  } finally {
    await transaction.rollback();
  }
}
