import type { StoredEvent } from './envelope.js';
import { keyOf } from './handlers.js';

/**
 * Cuts a batch into waves: the first event of every aggregate, then the second of each, and so on. Events of one wave
 * may run at the same time; an aggregate's own events never do.
 */
export function wavesOf<E extends StoredEvent>(events: readonly E[]): E[][] {
  const waves: E[][] = [];
  const depth = new Map<string, number>();
  for (const event of events) {
    const key = keyOf(event);
    const wave = depth.get(key) ?? 0;
    depth.set(key, wave + 1);
    (waves[wave] ??= []).push(event);
  }
  return waves;
}
