import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Change } from './change-set.js';
import type { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable, OutcomeUnknown, TransactionLeftOpen } from './errors.js';
import type { RecordedEvent } from './outbox-writer.js';
import { isConnectionError, sqlState, type Statement } from './statement.js';
import type { Transaction } from './transaction.js';
import { writeBatch } from './write-batch.js';

/** How long to wait for a lost connection's server process to finish its commit, in ms. */
const OUTCOME_PATIENCE = 3_000;

/** What a unit of work has to write. */
export interface Work {
  /** Aggregates, in key order. */
  readonly changes: readonly Change[];
  /** What has no aggregate. */
  readonly writes: readonly Statement[];
  /** Stored last. */
  readonly events: readonly RecordedEvent[];
}

/** Writes everything, in a transaction of its own. */
export function commit(db: ContextDatabase, work: Work): Promise<void> {
  return db.pipelines ? commitAtOnce(db, work) : db.begin().then((transaction) => commitTogether(db, transaction, work));
}

/** In one round trip, as a transaction that needs no BEGIN and no COMMIT: see {@link writeBatch}. */
async function commitAtOnce(db: ContextDatabase, work: Work): Promise<void> {
  const statements = statementsOf(db, work);
  let client: PoolClient | undefined;
  const write = (on: PoolClient) => writeAlone((client = on), statements);
  try {
    if (waitsForNobody(work)) await db.shared.run(write);
    else await db.shared.runAlone(write);
  } catch (error) {
    if (!client) throw error;
    await verifyOutcome(db, client, work.events, error);
  }
  for (const change of work.changes) change.done();
}

/** In a transaction of its own. @throws TransactionLeftOpen, and what {@link writeBatch} throws */
async function writeAlone(client: PoolClient, statements: readonly Statement[]): Promise<void> {
  try {
    await writeBatch(client, statements);
  } catch (error) {
    throw sqlState(error) === '25P02' ? new TransactionLeftOpen() : error;
  }
  if (client.getTransactionStatus() !== 'I') throw new TransactionLeftOpen();
}

/** An update waits for whoever has locked its row; what else is written may do anything. */
function waitsForNobody({ changes, writes }: Work): boolean {
  return writes.length === 0 && changes.every(({ inserts }) => inserts);
}

/** Writes everything in a transaction that has begun, and commits it. */
export async function commitTogether(db: ContextDatabase, transaction: Transaction, work: Work): Promise<void> {
  try {
    await transaction.commit(statementsOf(db, work));
  } catch (error) {
    if (!isConnectionError(error)) {
      await transaction.rollback();
      throw db.explained(error);
    }
    transaction.finish(error as Error);
    await verifyOutcome(db, transaction.client, work.events, error);
  }
  for (const change of work.changes) change.done();
}

function statementsOf(db: ContextDatabase, { changes, writes, events }: Work): Statement[] {
  const stores = events.length > 0 ? db.requireOutbox().insert(events) : [];
  return [...changes.map(({ statement }) => db.prepared.named(statement)), ...writes, ...stores];
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
