import type { PoolClient } from 'pg';
import { DomainError, UsageError } from '@nestbox/kernel';
import type { ContextDatabase, Statement } from '@nestbox/persistence';
import { operationsErrors } from './errors.js';
import type { OperatedContext } from './operated-context.js';

/** A lane that could not be taken after as many attempts is given up, and nothing has changed. */
const LANE_ATTEMPTS = 1_000;

export interface TakeLanesOptions {
  readonly reader: string;
  /** The context whose log it reads; all of them when not given. */
  readonly source?: string;
  /** Where its lanes stand afterwards. Lanes that are there or beyond, seen in this direction, stay where they are. */
  readonly to: number;
  readonly direction: 'back' | 'forward';
  /** Forget all its events that are in trouble. */
  readonly discardTrouble?: boolean;
}

/**
 * Sets a reader's lanes to a position, in one transaction with `also`. Whoever runs the reader notices by its fence
 * and takes the lanes anew. What is in trouble and will be handled again leaves the trouble; the rest of it stays.
 * @returns how many lanes there are
 * @throws DomainError `operations.no-such-reader`; `operations.dead-events` while an event that would be handled again
 *   waits for a person, unless its trouble is discarded
 */
export async function takeLanes(db: ContextDatabase, options: TakeLanesOptions, also: readonly Statement[] = []): Promise<number> {
  const { reader, source = null, to, discardTrouble = false } = options;
  const s = `"${db.schema}"`;
  const transaction = await db.begin();
  const { client } = transaction;
  try {
    const { rows: lanes } = await client.query<{ source: string; lane: number }>(
      `select distinct source, lane from ${s}.cursor where reader = $1 and ($2::text is null or source = $2) order by source, lane`,
      [reader, source],
    );
    if (lanes.length === 0) throw new DomainError(operationsErrors.noSuchReader, `No reader "${reader}"${source ? ` of "${source}"` : ''} has ever run in "${db.context}". See \`reader list\` for those that have.`);
    // Each lane taken here makes its owner wait; once all are taken, nobody writes what the reader writes.
    for (const lane of lanes) await takeLane(db, client, { ...options, ...lane });
    const again = `reader = $1 and ($2::text is null or source = $2) and ($3 or n > $4)`;
    const of = [reader, source, discardTrouble, to];
    if (!discardTrouble) {
      const { rows } = await client.query<{ count: number }>(`select count(*)::int count from ${s}.trouble where ${again} and state = 'dead'`, of);
      const { count } = rows[0]!;
      if (count > 0) throw new DomainError(operationsErrors.deadEvents, `${count} events of "${reader}" failed for good and wait for a decision. Replay or skip them first, or discard the trouble (--discard-trouble; over HTTP discardTrouble: true): they are handled again then like all others.`, { count });
    }
    await client.query(`delete from ${s}.trouble where ${again}`, of);
    await client.query(`delete from ${s}.attempt where reader = $1 and ($2::text is null or source = $2)`, [reader, source]);
    await transaction.commit(also);
    return lanes.length;
  } finally {
    await transaction.rollback();
  }
}

/** Waits for a transaction of the owner that is in progress; when it has moved the lane, tries the next generation. */
async function takeLane(db: ContextDatabase, client: PoolClient, { reader, source, lane, to, direction }: TakeLanesOptions & { source: string; lane: number }): Promise<void> {
  const table = `"${db.schema}".cursor`;
  for (let attempt = 0; attempt < LANE_ATTEMPTS; attempt++) {
    const { rowCount } = await client.query(
      `insert into ${table} (reader, source, lane, gen, n, owner)
       select reader, source, lane, gen + 1, ${direction === 'back' ? 'least' : 'greatest'}(n, $4::bigint), null
       from (select * from ${table} where reader = $1 and source = $2 and lane = $3 order by gen desc limit 1) x
       on conflict do nothing`,
      [reader, source, lane, to],
    );
    if (rowCount === 1) return;
  }
  throw new UsageError(`Lane ${lane} of "${reader}" could not be taken: its owner was always faster. Nothing was changed.`, 'try again.');
}

/** Where to set a reader. */
export interface ReaderMove extends TakeLanesOptions {
  readonly source: string;
  /** Yes, do again what its handlers have done for the events in between. Needed to go back. */
  readonly repeatEffects?: boolean;
  /** Yes, never handle the events in between. Needed to go forward. */
  readonly leaveOut?: boolean;
}

/**
 * Sets a reader back or forward, while everything works.
 * @returns how many lanes were set
 * @throws DomainError `operations.needs-consent`, and what {@link takeLanes} throws
 */
export async function moveReader({ definition, db }: OperatedContext, move: ReaderMove): Promise<number> {
  const { reader, direction, repeatEffects = false, leaveOut = false } = move;
  if (reader === 'relay') throw new DomainError(operationsErrors.relayHasNoPosition, 'The stream itself says how far the relay is: to have it filled again, delete the stream.');
  if (direction === 'back' && !repeatEffects) {
    const projection = definition.projections?.find(({ name }) => reader === `${definition.name}.${name}`);
    const better = projection ? ` To have the projection right, rebuild it instead (\`projection rebuild ${projection.name}\`): that empties its tables first.` : '';
    throw new DomainError(operationsErrors.needsConsent, `Going back, the handlers of "${reader}" do again what they have done for these events; what cannot be done twice will be wrong. If that is meant, say so (--repeat-effects; over HTTP repeatEffects: true).${better}`, { flag: 'repeatEffects' });
  }
  if (direction === 'forward' && !leaveOut) {
    throw new DomainError(operationsErrors.needsConsent, `Going forward, "${reader}" never handles the events in between. If that is meant, say so (--leave-out; over HTTP leaveOut: true).`, { flag: 'leaveOut' });
  }
  return takeLanes(db, move);
}
