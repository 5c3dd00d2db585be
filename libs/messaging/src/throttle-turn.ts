import type { BatchContext } from './batch-context.js';
import { type Portion, runPortion } from './batch.js';
import type { Lane } from './lane.js';

/** Events of a held back tenant that are handled between two looks at everybody else's. */
const TURN_SIZE = 25;

/** Handles some events of the tenant whose turn it is, in a transaction that leaves the lane's position where it is. */
export async function workOnHeldBack(context: BatchContext, lane: Lane): Promise<void> {
  const [tenant, waiting] = lane.heldBack.entries().next().value!;
  const events = await context.throttle.next(lane.lane, tenant, waiting, TURN_SIZE);
  if (events.length > 0) {
    const portion: Portion = { events, after: () => ({ n: lane.n }), also: (handled) => [context.throttle.release(tenant, handled)], holdsBack: () => false, certain: undefined };
    const handled = await runPortion(context, lane, portion);
    waiting.count -= handled.length;
    waiting.handledUpTo = handled.at(-1)?.n ?? waiting.handledUpTo;
  }
  // The next tenant's turn; nothing is left of one that had no more.
  lane.heldBack.delete(tenant);
  if (events.length > 0) lane.heldBack.set(tenant, waiting);
}
