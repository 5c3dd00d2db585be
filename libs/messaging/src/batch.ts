import { type ContextDatabase, isConnectionError, isTransient, ConcurrencyConflict, type Statement } from '@nestbox/persistence';
import type { SourcedEvent } from './envelope.js';
import { deliver, type EventHandler, keyOf } from './handlers.js';
import { BATCH_SIZE, type Lane } from './lane.js';
import type { LaneClaims } from './lane-claims.js';
import { LaneLost, laneTransaction } from './lane-transaction.js';
import { blockedName, type Trouble } from './trouble.js';
import { wavesOf } from './waves.js';

/** A handler that needs longer than the server lets a transaction idle has failed, it was not unlucky. */
const HANDLER_PATIENCE_MS = 1_400;
/** Unfinished attempts after which an event is taken for one that kills the process. */
const KILLER_ATTEMPTS = 2;
/** Conflicts in a row on one event that no longer look like somebody else's doing. */
const STUBBORN_CONFLICTS = 20;

export interface BatchContext {
  readonly db: ContextDatabase;
  readonly reader: string;
  readonly source: string;
  readonly handlers: readonly EventHandler[];
  readonly claims: LaneClaims;
  readonly trouble: Trouble;
}

/** Which handler failed on which event of a transaction. */
class HandlerFailed extends Error {
  constructor(readonly handler: EventHandler, override readonly cause: unknown) {
    super(`${handler.name} failed`);
  }
}

/**
 * Handles the next events of a lane, exactly once in effect: the whole batch in one transaction; when that fails,
 * event by event, so that only the failing one is set aside.
 * @throws LaneLost, or a transient error after which the same batch should be tried again
 */
export async function runBatch(context: BatchContext, lane: Lane): Promise<void> {
  const events = lane.buffer.slice(0, lane.batchSize);
  if (lane.crashes >= 2) return runSuspicious(context, lane, events[0]!);
  try {
    await handleTogether(context, lane, events);
    lane.batchSize = Math.min(BATCH_SIZE, lane.batchSize * 2);
  } catch (error) {
    if (error instanceof LaneLost) throw error;
    if (isContention(error)) {
      lane.batchSize = Math.max(1, lane.batchSize >> 1);
      if (events.length > 1 || !(tookTooLong(error) || isStubborn(lane, error))) throw error;
    }
    for (const event of events) await handleAlone(context, lane, event);
  }
}

async function handleTogether(context: BatchContext, lane: Lane, events: readonly SourcedEvent[]): Promise<void> {
  const last = events.at(-1)!;
  await laneTransaction(context.db, context.claims, lane, { n: last.n, hint: last.hint }, async () => {
    const statements: Statement[] = [];
    for (const wave of wavesOf(events)) {
      await settleAll(wave.map(async (event) => statements.push(...(await handleEvent(context, lane, event, new Map())))));
    }
    return statements;
  });
}

/** One event in its own transaction. Handlers that fail are left out of it and noted as trouble. */
async function handleAlone(context: BatchContext, lane: Lane, event: SourcedEvent): Promise<void> {
  const failed = new Map<EventHandler, unknown>();
  for (;;) {
    const started = performance.now();
    try {
      await laneTransaction(context.db, context.claims, lane, { n: event.n, hint: event.hint }, () => handleEvent(context, lane, event, failed));
      for (const handler of failed.keys()) lane.blocked.add(blockedName(handler.name, keyOf(event)));
      return;
    } catch (error) {
      if (error instanceof LaneLost) throw error;
      const slow = performance.now() - started > HANDLER_PATIENCE_MS;
      if (error instanceof HandlerFailed && (!isContention(error) || slow)) failed.set(error.handler, error.cause);
      else if (isContention(error) && !isStubborn(lane, error)) throw error;
      else for (const handler of concerned(context, event)) failed.set(handler, failed.get(handler) ?? error);
    }
  }
}

/** After two owners died in a row: each event is noted before it runs, so that the one that kills is found. */
async function runSuspicious(context: BatchContext, lane: Lane, event: SourcedEvent): Promise<void> {
  const { db, reader, source, trouble } = context;
  const table = `"${db.schema}".attempt`;
  const of = [reader, source, lane.lane, event.n];
  const { rows } = await db.enginePool.query(`select count(*)::int count from ${table} where reader = $1 and source = $2 and lane = $3 and n = $4`, of);
  const crashes = lane.crashes;
  if (rows[0].count >= KILLER_ATTEMPTS) {
    await laneTransaction(db, context.claims, lane, { n: event.n, hint: event.hint }, async () =>
      concerned(context, event).map((handler) => {
        lane.blocked.add(blockedName(handler.name, keyOf(event)));
        return trouble.dead(handler.name, keyOf(event), event, new Error('killed the process'));
      }),
    );
  } else {
    await db.enginePool.query(`insert into ${table} (reader, source, lane, n) values ($1, $2, $3, $4)`, of);
    await handleAlone(context, lane, event);
  }
  await db.enginePool.query(`delete from ${table} where reader = $1 and source = $2 and lane = $3 and n = $4`, of);
  // The danger is over when what had been fetched at the takeover is behind.
  lane.crashes = lane.buffer.length > 0 ? crashes : 0;
}

/** Runs the handlers of one event; returns what is to be noted as trouble in the same transaction. */
async function handleEvent(context: BatchContext, lane: Lane, event: SourcedEvent, failed: ReadonlyMap<EventHandler, unknown>): Promise<Statement[]> {
  const key = keyOf(event);
  const notes: Statement[] = [];
  await settleAll(
    concerned(context, event).map(async (handler) => {
      if (lane.blocked.has(blockedName(handler.name, key))) {
        notes.push(context.trouble.queued(handler.name, key, event));
      } else if (failed.has(handler)) {
        notes.push(context.trouble.failed(handler.name, key, event, failed.get(handler)));
      } else {
        await deliver(handler, event).catch((error: unknown) => {
          throw new HandlerFailed(handler, error);
        });
      }
    }),
  );
  return notes;
}

function concerned(context: BatchContext, event: SourcedEvent): EventHandler[] {
  return context.handlers.filter((handler) => handler.events.has(event.type));
}

/** Waits for all, then throws the first error: nobody may still be at work when the transaction is rolled back. */
async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const rejected = results.find((result) => result.status === 'rejected');
  if (rejected) throw rejected.reason;
}

/** True for errors that pass when the same work is tried again, and that never count as the handler's failure. */
export function isContention(error: unknown): boolean {
  const inner = error instanceof HandlerFailed ? error.cause : error;
  return inner instanceof ConcurrencyConflict || isTransient(inner);
}

/** A conflict that never passes is a handler that writes the same row twice, not contention. */
function isStubborn(lane: Lane, error: unknown): boolean {
  return lane.collisions >= STUBBORN_CONFLICTS && error instanceof ConcurrencyConflict;
}

function tookTooLong(error: unknown): boolean {
  return isConnectionError(error instanceof HandlerFailed ? error.cause : error);
}
