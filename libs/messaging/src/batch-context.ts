import type { ContextDatabase } from '@nestbox/persistence';
import type { Attempts } from './attempts.js';
import type { StoredEvent } from './envelope.js';
import type { EventHandler } from './handlers.js';
import type { LaneClaims } from './lane-claims.js';
import type { StallWatch } from './stall-watch.js';
import type { Throttle } from './throttle.js';
import type { Trouble } from './trouble.js';
import type { Turns } from './turns.js';

/** What the work of a reader's lanes needs. */
export interface BatchContext {
  readonly db: ContextDatabase;
  readonly reader: string;
  readonly source: string;
  readonly handlers: readonly EventHandler[];
  readonly claims: LaneClaims;
  readonly trouble: Trouble;
  readonly throttle: Throttle;
  readonly attempts: Attempts;
  readonly stalls: StallWatch;
  /** What is under suspicion runs one by one in the whole process: when it dies, it is clear of what. */
  readonly turns: Turns;
  /** Told of handlers that take longer than the budget of a whole transaction. */
  readonly slow: (handler: string, tookMs: number) => void;
  /** See {@link EventSource}: what has to be waited for before the handling of an event may be committed. */
  readonly certain: (n: number) => Promise<void> | undefined;
}

/** The handlers of an event. */
export function concerned({ handlers }: BatchContext, event: StoredEvent): EventHandler[] {
  return handlers.filter((handler) => handler.events.has(event.type));
}
