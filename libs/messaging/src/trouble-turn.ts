import { UsageError } from '@nestbox/kernel';
import { verdict } from './attempts.js';
import type { BatchContext } from './batch-context.js';
import { Deliveries, isContention, lostByBlocking, mainCause } from './deliveries.js';
import { deliver } from './handlers.js';
import type { Lane } from './lane.js';
import { LaneLost, laneTransaction } from './lane-transaction.js';
import { NOTHING_BLOCKED, type TroubleRow } from './trouble.js';

/** Rows looked at in one turn. */
const TURN_SIZE = 50;

/**
 * Works on what is due in a lane's trouble: retries, and what a person asked for. Each row in its own transaction that
 * leaves the lane's position where it is.
 */
export async function workOnTrouble(context: BatchContext, lane: Lane): Promise<void> {
  for (;;) {
    const due = await context.trouble.due(lane.lane, TURN_SIZE);
    for (const row of due) await attempt(context, lane, row);
    if (due.length === 0) break;
  }
  lane.block((await context.trouble.blocked([lane.lane])).get(lane.lane) ?? NOTHING_BLOCKED);
}

async function attempt(context: BatchContext, lane: Lane, row: TroubleRow): Promise<void> {
  const { attempts, claims, turns } = context;
  // Only what has failed before, or was left by somebody who died, may be something that kills the process.
  const noted = row.request !== 'skip' && (row.attempts > 0 || row.request === 'replay' || lane.deaths > 0);
  if (!noted) return attemptAlone(context, lane, row, undefined);
  const evidence = await attempts.evidence(lane.lane, row.n, claims.instance, row.failed_at);
  const [failure] = verdict(context, row.event, evidence).values();
  if (failure === undefined) await attempts.begin(lane.lane, row.n, claims.instance);
  const work = () => context.stalls.accompany(context, row.event, () => attemptAlone(context, lane, row, failure));
  const inTurn = () => (evidence.deaths > 0 ? turns.take(work) : work());
  await inTurn();
  await attempts.ended(lane.lane, row.n);
}

/** @param known why it must not even be tried */
async function attemptAlone(context: BatchContext, lane: Lane, row: TroubleRow, known: unknown): Promise<void> {
  const { db, claims, trouble } = context;
  const here = { n: lane.n };
  const loop = performance.eventLoopUtilization();
  let tried = row;
  try {
    await laneTransaction(db, claims, lane, here, async ({ transaction }) => {
      const current = await trouble.lock(row);
      if (!current) return [];
      tried = current;
      if (current.request !== 'skip') {
        if (known !== undefined) throw known;
        await run(context, current, new Deliveries(transaction, context.slow));
      }
      return trouble.solved(current, claims.instance);
    });
  } catch (error) {
    if (error instanceof LaneLost) throw error;
    const [blocker] = context.stalls.blockersAmong(context, [row.event]);
    if (isContention(error) && !blocker && !lostByBlocking(error, loop)) throw error;
    const cause = blocker?.error ?? mainCause(error);
    const noteFailure = () => laneTransaction(db, claims, lane, here, async () => [trouble.failedAgain(tried, cause)]);
    await noteFailure();
  }
}

async function run(context: BatchContext, row: TroubleRow, deliveries: Deliveries): Promise<void> {
  const { event } = row;
  const handler = context.handlers.find((candidate) => candidate.name === row.handler);
  if (!handler?.events.has(event.type)) {
    throw new UsageError(`The handler ${row.handler} of ${event.type} does not exist any more.`, 'skip the event, or bring the handler back under this name.');
  }
  await deliveries.settled([deliveries.run(handler, event, () => context.stalls.watched(context, event, handler.name, () => deliver(handler, event)))]);
}
