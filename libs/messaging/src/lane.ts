import type { SourcedEvent, StreamHint } from './envelope.js';
import type { ClaimedLane } from './lane-claims.js';
import type { LanePosition } from './source.js';

/** Most events in one transaction. */
export const BATCH_SIZE = 50;

/** A lane while this process owns it. */
export class Lane implements LanePosition {
  readonly lane: number;
  gen: number;
  n: number;
  hint: StreamHint | undefined;
  /** Owners in a row that died while they held it; from 2 on its events are run one by one, each noted before. */
  crashes: number;
  /** Fetched and not handled yet. */
  buffer: SourcedEvent[] = [];
  /** Handlers and keys with events in trouble: `<handler> <key>`. Only the owner changes it, so memory is right. */
  blocked: Set<string>;
  /** Halved when transactions collide, grown when they do not. */
  batchSize = BATCH_SIZE;
  /** Transactions in a row that collided with others. */
  collisions = 0;
  busy = false;
  lost = false;

  constructor(claimed: ClaimedLane, blocked: Iterable<string>) {
    this.lane = claimed.lane;
    this.gen = claimed.gen;
    this.n = claimed.n;
    this.hint = claimed.hint;
    this.crashes = claimed.crashes;
    this.blocked = new Set(blocked);
  }

  /** Takes what a source has fetched. @throws when the source has skipped something */
  accept(events: readonly SourcedEvent[]): void {
    let last = this.buffer.at(-1)?.n ?? this.n;
    for (const event of events) {
      if (event.n <= last) continue;
      if (event.prev > last) throw new Error(`Lane ${this.lane} stands at ${last}, but the next event is ${event.n} and follows ${event.prev}: events are missing in between.`);
      this.buffer.push(event);
      last = event.n;
    }
  }

  /** Notes a committed transaction that has moved the lane. */
  moved(n: number, hint: StreamHint | undefined): void {
    this.gen += 1;
    this.n = n;
    this.hint = hint ?? this.hint;
    this.crashes = 0;
    this.collisions = 0;
    while (this.buffer[0] && this.buffer[0].n <= n) this.buffer.shift();
  }
}
