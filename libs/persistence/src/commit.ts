import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Change } from './change-set.js';
import type { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable, OutcomeUnknown } from './errors.js';
import type { RecordedEvent } from './outbox-writer.js';
import { isConnectionError, pipeline, type Statement } from './statement.js';
import type { Transaction } from './transaction.js';

/** How long to wait for a lost connection's server process to finish its commit, in ms. */
const OUTCOME_PATIENCE = 3_000;

/**
 * One aggregate and its events in one statement, without BEGIN and COMMIT: it applies whole or not at all, and costs
 * one round trip. The events' insert reads the aggregate's write, so it comes after it.
 */
export async function commitAlone(db: ContextDatabase, change: Change, events: readonly RecordedEvent[]): Promise<void> {
  const { write } = change;
  const outboxValues = events.length > 0 ? db.requireOutbox().values(events) : [];
  const store = events.length > 0 ? `, o as (${db.requireOutbox().sql(write.values.length, '(select count(*) from w) = 1')})` : '';
  const values = [...write.values, ...outboxValues, change.what];
  const text = `with w as (${write.text})${store} select nb.expect((select count(*) from w), 1, $${values.length})`;
  const client = await db.connect();
  try {
    await pipeline(client, [db.prepared.named({ text, values, ...(write.explain && { explain: write.explain }) })]);
    client.release();
  } catch (error) {
    client.release(isConnectionError(error) ? (error as Error) : undefined);
    await verifyOutcome(db, client, events, error);
  }
  change.done();
}

/** Several changes in one transaction, sent in one round trip: aggregates in key order, then other writes, events last. */
export async function commitTogether(
  db: ContextDatabase,
  transaction: Transaction,
  changes: readonly Change[],
  writes: readonly Statement[],
  events: readonly RecordedEvent[],
): Promise<void> {
  try {
    const store = events.length > 0 ? [db.prepared.named({ text: db.requireOutbox().sql(0), values: db.requireOutbox().values(events) })] : [];
    await transaction.commit([...changes.map((change) => db.prepared.named(change.statement)), ...writes, ...store]);
  } catch (error) {
    if (!isConnectionError(error)) {
      await transaction.rollback();
      throw db.explained(error);
    }
    transaction.finish(error as Error);
    await verifyOutcome(db, transaction.client, events, error);
  }
  for (const change of changes) change.done();
}

/**
 * After a lost connection: waits until the server process of that connection is gone, then looks whether the
 * first event was stored. Returns when the commit did happen; otherwise throws.
 */
async function verifyOutcome(db: ContextDatabase, lost: PoolClient, events: readonly RecordedEvent[], error: unknown): Promise<void> {
  if (!isConnectionError(error)) throw db.explained(error);
  const [first] = events;
  const { processID } = lost as unknown as { processID?: number };
  if (!first || !processID) throw new OutcomeUnknown(db.context, { cause: error });
  const patience = performance.now() + OUTCOME_PATIENCE;
  for (;;) {
    const answer = await look(db, processID, first.id).catch(() => undefined);
    if (answer === 'committed') return;
    if (answer === 'not-committed') throw new DatabaseUnavailable(db.context, { cause: error });
    if (performance.now() > patience) throw new OutcomeUnknown(db.context, { cause: error });
    await sleep(100);
  }
}

async function look(db: ContextDatabase, processID: number, eventId: string): Promise<'committed' | 'not-committed' | 'unknown'> {
  const client = await db.connect();
  try {
    // First whether it lives, then whether it has stored: the other way round could miss a commit in between. An idle one
    // counts as living: the statement may wait in its socket. Behind a pooler the number of a process is not the
    // server's, so that nothing follows from its absence.
    const { rows } = await client.query<{ pid: number; alive: boolean }>('select pg_backend_pid() pid, exists (select 1 from pg_stat_activity where pid = $1) alive', [processID]);
    const { pid, alive } = rows[0]!;
    if (await db.requireOutbox().contains(client, eventId)) return 'committed';
    return alive || pid !== (client as unknown as { processID: number }).processID ? 'unknown' : 'not-committed';
  } finally {
    client.release();
  }
}
