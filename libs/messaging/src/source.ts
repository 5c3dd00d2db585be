import type { SourcedEvent, StreamHint } from './envelope.js';

/** Where a reader stands in one lane of a source: it has everything up to and including `n`. */
export interface LanePosition {
  readonly lane: number;
  readonly n: number;
  readonly hint?: StreamHint;
}

/** A log of one context's events that lane readers follow: the outbox log itself, or a stream filled from it. */
export interface EventSource {
  /** Whose events these are. */
  readonly context: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * The next events of each lane, after its position, in `n` order, at most `size` per lane; lanes without news are
   * absent. Never skips: the first event's `prev` is not above the position (else the lane is left out until the
   * source has closed the gap).
   */
  fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>>;
  /** Calls `listener` when there may be news. Returns how to stop listening. */
  onWake(listener: () => void): () => void;
}
