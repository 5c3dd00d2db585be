import { verdict } from './attempts.js';
import type { BatchContext } from './batch-context.js';
import type { SourcedEvent } from './envelope.js';
import type { EventHandler } from './handlers.js';
import { BATCH_SIZE, type Lane } from './lane.js';

/** Owners in a row that have died with a lane before its events are under suspicion. */
const SUSPICIOUS_DEATHS = 2;

/**
 * Whether the next event of a lane has to be handled with care: owners have died in a row, or one has left word of an
 * event that did it. The danger is over when everything that a batch of theirs may have held is behind.
 */
export async function isCareful(context: BatchContext, lane: Lane): Promise<boolean> {
  if (lane.careful === undefined) {
    const danger = lane.deaths >= SUSPICIOUS_DEATHS || (lane.deaths > 0 && (await context.attempts.accuse(lane.lane, lane.n)));
    lane.careful = danger ? BATCH_SIZE : 0;
  }
  return lane.careful > 0;
}

/**
 * Notes an event before it runs alone, so that one that kills the process is found: whoever takes the lane next reads
 * the note. Nothing else under suspicion runs at the same time in this process.
 * @param alone handles the event, except for the handlers that have failed already
 */
export async function runCarefully(context: BatchContext, lane: Lane, event: SourcedEvent, alone: (failed: ReadonlyMap<EventHandler, unknown>) => Promise<void>): Promise<void> {
  const { attempts, claims, stalls, turns } = context;
  await turns.take(async () => {
    const failed = verdict(context, event, await attempts.evidence(lane.lane, event.n, claims.instance));
    if (failed.size === 0) await attempts.begin(lane.lane, event.n, claims.instance);
    await stalls.accompany(context, event, () => alone(failed));
    await attempts.ended(lane.lane, event.n);
  });
  lane.careful! -= 1;
}
