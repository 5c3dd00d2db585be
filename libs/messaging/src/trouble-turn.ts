import { UsageError } from '@nestbox/kernel';
import { type BatchContext, isContention } from './batch.js';
import { deliver } from './handlers.js';
import type { Lane } from './lane.js';
import { LaneLost, laneTransaction } from './lane-transaction.js';
import type { TroubleRow } from './trouble.js';

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
  lane.blocked = new Set(await context.trouble.blocked(lane.lane));
}

async function attempt(context: BatchContext, lane: Lane, row: TroubleRow): Promise<void> {
  const { db, claims, trouble } = context;
  const here = { n: lane.n };
  try {
    await laneTransaction(db, claims, lane, here, async () => {
      if (row.request !== 'skip') await run(context, row);
      return trouble.solved(row);
    });
  } catch (error) {
    if (error instanceof LaneLost || isContention(error)) throw error;
    await laneTransaction(db, claims, lane, here, async () => [trouble.failedAgain(row, error)]);
  }
}

async function run(context: BatchContext, row: TroubleRow): Promise<void> {
  const handler = context.handlers.find((candidate) => candidate.name === row.handler);
  if (!handler?.events.has(row.event.type)) {
    throw new UsageError(`The handler ${row.handler} of ${row.event.type} does not exist any more.`, 'skip the event, or bring the handler back under this name.');
  }
  await deliver(handler, row.event);
}
