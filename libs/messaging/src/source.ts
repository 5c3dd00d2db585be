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
  /** How often to fetch although nothing was announced, in ms. Default 1000; Infinity when everything is announced. */
  readonly pollMs?: number | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * The next events of each lane, after its position, in `n` order, at most `size` per lane; lanes without news are
   * absent. Never skips: the first event's `prev` is not above the position (else the lane is left out until the
   * source has closed the gap).
   */
  fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>>;
  /** Where a reader that has never read anything starts, for each lane: before the oldest event that can be read. */
  beginnings?(): Promise<ReadonlyMap<number, number>>;
  /** Calls `listener` when there may be news. Returns how to stop listening. */
  onWake(listener: () => void): () => void;
  /**
   * Of an event that was fetched: resolves when it is in the log for certain, and its handling may be committed;
   * undefined when it is. A source that fetches nothing before needs no such thing.
   * @throws NumbersWithdrawn
   */
  certain?(n: number): Promise<void> | undefined;
  /** Calls `listener` when what was fetched after a number is taken back: the log will have other events there. Returns how to stop listening. */
  onWithdrawn?(listener: (last: number) => void): () => void;
}
