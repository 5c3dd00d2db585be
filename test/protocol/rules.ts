import { claimed } from '../../libs/messaging/src/protocol/generation.ts';
import { looksTrue, type Terms } from '../../libs/messaging/src/protocol/lease.ts';
import { decide } from '../../libs/messaging/src/protocol/sharing.ts';

/** What is played by. The defaults are the engine's; a test replaces one to see that it matters. */
export interface Rules {
  readonly terms: Terms;
  /** Ticks after which a superseded generation may be pruned. */
  readonly keep: number;
  readonly events: number;
  readonly setBacks: number;
  readonly processes: number;
  /** Generations that may be kept at the same time; keeps the world finite. */
  readonly rows: number;
  /** Whether a fence fails that somebody else has inserted. */
  readonly fence: boolean;
  readonly claimed: typeof claimed;
  readonly decide: typeof decide;
  readonly looksTrue: typeof looksTrue;
  /** Whether an effect is committed together with the position, or before it. */
  readonly together: boolean;
  /** Whether heartbeats may take any living member for dead. */
  readonly blind: boolean;
  /** Whether anything may happen between a look and the decision about it; else only between that and its statement. */
  readonly delayed: boolean;
}

export const RULES: Rules = {
  terms: { ttl: 1, safety: 0, trust: 1 }, keep: 1, events: 2, setBacks: 0, processes: 2, rows: 2,
  fence: true, claimed, decide, looksTrue, together: true, blind: false, delayed: false,
};
