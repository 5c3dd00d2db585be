import { ConcurrencyConflict, type Statement } from '@nestbox/persistence';
import { type BatchContext, concerned } from './batch-context.js';
import { isCareful, runCarefully } from './careful.js';
import { BUDGET_MS, Deliveries, HandlersFailed, HandlerTooSlow, isContention, lostByBlocking } from './deliveries.js';
import type { SourcedEvent } from './envelope.js';
import { NumbersWithdrawn } from './fresh-events.js';
import { deliver, type EventHandler, keyOf } from './handlers.js';
import { BATCH_SIZE, type Lane } from './lane.js';
import { LaneLost, laneTransaction, type Step } from './lane-transaction.js';
import { whoIsHeldBack } from './throttle.js';
import { blockedName } from './trouble.js';
import { wavesOf } from './waves.js';

/** Conflicts in a row on one event that no longer look like somebody else's doing. */
const STUBBORN_CONFLICTS = 20;

/** Events that a lane has to handle next, and what their transaction does besides. */
export interface Portion {
  /** In the order of their numbers. */
  readonly events: readonly SourcedEvent[];
  /** Where the lane stands when it has handled the first of them, up to `last`. */
  after(last: SourcedEvent): Step;
  /** Statements that go with events that were handled. */
  also(handled: readonly SourcedEvent[]): Statement[];
  /** Whether an event is set aside for later instead of handled. */
  holdsBack(event: SourcedEvent): boolean;
  /** To be waited for before anything that is known of these events may be written down. */
  readonly certain: Promise<void> | undefined;
}

/** Which handlers are known to fail on which events, so that these are noted as trouble instead of run. */
type Failed = ReadonlyMap<EventHandler, unknown>;
const NONE_FAILED: Failed = new Map();

/**
 * Handles the next events of a lane, exactly once in effect: the whole batch in one transaction. When that fails, the
 * events that are to blame run alone in the next calls, and those that fail alone are set aside.
 * @throws LaneLost, or a transient error after which the same batch should be tried again
 */
export async function runBatch(context: BatchContext, lane: Lane): Promise<void> {
  const holdsBack = whoIsHeldBack(lane);
  // What is held back costs little: it does not count.
  let room = lane.batchSize;
  const end = lane.buffer.findIndex((event) => !holdsBack(event) && room-- === 0);
  const events = end < 0 ? lane.buffer.slice() : lane.buffer.slice(0, end);
  const also = (handled: readonly SourcedEvent[]) => {
    const held = handled.filter(holdsBack);
    return held.length > 0 ? [context.throttle.hold(lane.lane, held)] : [];
  };
  const certain = context.certain(events.at(-1)!.n);
  const done = await runPortion(context, lane, { events, after: ({ n, hint }) => ({ n, hint }), also, holdsBack, certain });
  for (const { tenantId } of done) {
    const held = lane.heldBack.get(tenantId);
    if (held) held.count += 1;
  }
}

/**
 * Handles a portion, or the beginning of it.
 * @returns the events that are done with
 * @throws as {@link runBatch} does
 */
export async function runPortion(context: BatchContext, lane: Lane, portion: Portion): Promise<readonly SourcedEvent[]> {
  const first = portion.events[0]!;
  if (await isCareful(context, lane)) {
    await portion.certain;
    await runCarefully(context, lane, first, (failed) => handleAlone(context, lane, portion, first, failed));
    return [first];
  }
  const suspicion = lane.suspects.get(first.n);
  if (suspicion) {
    await settledNumbers(portion);
    await handleAlone(context, lane, portion, first, suspicion);
    lane.suspects.delete(first.n);
    return [first];
  }
  const next = portion.events.findIndex(({ n }) => lane.suspects.has(n));
  const events = next < 0 ? portion.events : portion.events.slice(0, next);
  const started = performance.now();
  const loop = performance.eventLoopUtilization();
  try {
    const done = await handleTogether(context, lane, portion, events);
    const tookMs = performance.now() - started;
    if (tookMs > BUDGET_MS) lane.batchSize = Math.max(1, events.length >> 1);
    else if (tookMs < BUDGET_MS / 2) lane.batchSize = Math.min(BATCH_SIZE, lane.batchSize * 2);
    return done;
  } catch (error) {
    if (error instanceof LaneLost || error instanceof NumbersWithdrawn) throw error;
    const blocked = lostByBlocking(error, loop);
    await beforeBlaming(portion);
    suspect(context, lane, events, error, blocked);
    return [];
  }
}

/** Under names of their own: a crash point is known by them. */
function settledNumbers({ certain }: Portion): Promise<void> | undefined {
  return certain;
}

function beforeBlaming({ certain }: Portion): Promise<void> | undefined {
  return certain;
}

/** Finds out who is to blame for a failed batch. @throws the error when it is nobody: the batch is tried again */
function suspect(context: BatchContext, lane: Lane, events: readonly SourcedEvent[], error: unknown, blocked: boolean): void {
  const blockers = context.stalls.blockersAmong(context, events);
  for (const { event, handler, error: cause } of blockers) note(lane, event, context.handlers.find(({ name }) => name === handler), cause);
  if (blockers.length > 0) return;
  if (isContention(error) && !blocked) {
    lane.batchSize = Math.max(1, lane.batchSize >> 1);
    if (events.length > 1 || !isStubborn(lane, error)) throw error;
  }
  if (error instanceof HandlersFailed && !blocked) {
    // One that was given up is not waited for a second time; the others show alone that it is their own failure.
    for (const { event, handler, cause } of error.failures) if (!isContention(cause)) note(lane, event, cause instanceof HandlerTooSlow ? handler : undefined, cause);
  } else {
    // It failed as a whole, so it could be any of them.
    for (const event of events) note(lane, event);
  }
}

function note(lane: Lane, { n }: { readonly n: number }, handler?: EventHandler, cause?: unknown): void {
  const failed = lane.suspects.get(n) ?? new Map<EventHandler, unknown>();
  if (handler) failed.set(handler, cause);
  lane.suspects.set(n, failed);
}

async function handleTogether(context: BatchContext, lane: Lane, portion: Portion, events: readonly SourcedEvent[]): Promise<readonly SourcedEvent[]> {
  const { db, claims } = context;
  const { certain } = portion;
  const started = performance.now();
  let done = events;
  await laneTransaction(db, claims, lane, portion.after(events.at(-1)!), async ({ transaction, stopAt }) => {
    const deliveries = new Deliveries(transaction, context.slow);
    const notes: Statement[] = [];
    const open = new Set(events.filter((event) => !portion.holdsBack(event)));
    for (const wave of wavesOf([...open])) {
      await deliveries.settled(wave.flatMap((event) => handleEvent(context, lane, deliveries, event, NONE_FAILED, notes)));
      for (const event of wave) open.delete(event);
      if (open.size === 0 || performance.now() - started < BUDGET_MS) continue;
      // Out of time: what is handled so far is enough, if it is the beginning of the batch.
      const next = events.findIndex((event) => open.has(event));
      if (events.slice(next).some((event) => !open.has(event) && !portion.holdsBack(event))) continue;
      done = events.slice(0, next);
      stopAt(portion.after(done.at(-1)!));
      break;
    }
    await certain;
    return [...portion.also(done), ...notes];
  });
  return done;
}

/** One event in its own transaction. Handlers that fail are left out of it and noted as trouble. */
async function handleAlone(context: BatchContext, lane: Lane, portion: Portion, event: SourcedEvent, known: Failed): Promise<void> {
  const { db, claims } = context;
  const failed = new Map(known);
  for (;;) {
    const loop = performance.eventLoopUtilization();
    try {
      await laneTransaction(db, claims, lane, portion.after(event), async ({ transaction }) => {
        const deliveries = new Deliveries(transaction, context.slow);
        const notes: Statement[] = [];
        if (!portion.holdsBack(event)) await deliveries.settled(handleEvent(context, lane, deliveries, event, failed, notes));
        return [...portion.also([event]), ...notes];
      });
      if (!portion.holdsBack(event)) for (const handler of failed.keys()) lane.blocked.add(blockedName(handler.name, keyOf(event)));
      return;
    } catch (error) {
      if (error instanceof LaneLost) throw error;
      const known = knownFailures(context, event, error, lostByBlocking(error, loop) || isStubborn(lane, error));
      if (known.length === 0) throw error;
      for (const [handler, cause] of known) failed.set(handler, failed.get(handler) ?? cause);
    }
  }
}

/** Which handlers are to be left out of the next attempt at an event, and why; none when nobody has failed. */
function knownFailures(context: BatchContext, event: SourcedEvent, error: unknown, own: boolean): [EventHandler, unknown][] {
  const blockers = context.stalls.blockersAmong(context, [event]);
  if (blockers.length > 0) return concerned(context, event).flatMap((handler) => blockers.filter(({ handler: name }) => name === handler.name).map(({ error: cause }): [EventHandler, unknown] => [handler, cause]));
  if (error instanceof HandlersFailed) return error.failures.filter(({ cause }) => own || !isContention(cause)).map(({ handler, cause }) => [handler, cause]);
  return own || !isContention(error) ? concerned(context, event).map((handler) => [handler, error]) : [];
}

/** Starts the handlers of one event; adds what is to be noted as trouble in the same transaction. */
function handleEvent(context: BatchContext, lane: Lane, deliveries: Deliveries, event: SourcedEvent, failed: Failed, notes: Statement[]): Promise<void>[] {
  const key = keyOf(event);
  return concerned(context, event).flatMap((handler) => {
    const { name } = handler;
    if (lane.blocked.has(blockedName(name, key))) notes.push(context.trouble.queued(name, key, event));
    else if (failed.has(handler)) notes.push(context.trouble.failed(name, key, event, failed.get(handler)));
    else return [deliveries.run(handler, event, () => context.stalls.watched(context, event, name, () => deliver(handler, event)))];
    return [];
  });
}

/** A conflict that never passes is a handler that writes the same row twice, not contention. */
function isStubborn(lane: Lane, error: unknown): boolean {
  return lane.collisions >= STUBBORN_CONFLICTS && error instanceof ConcurrencyConflict;
}
