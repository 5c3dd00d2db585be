import type { SourcedEvent, StreamHint } from '../envelope.js';
import type { LanePosition } from '../source.js';

/** How many events before the reader's position stay, for a batch that is rolled back and asked for again. */
const KEPT = 512;

/** A lane in which the next event that the stream has is not the next event of the lane. */
export interface LaneGap {
  readonly lane: number;
  /** The last event that is there. */
  readonly n: number;
  /** The event that should come next but is not in the stream. */
  readonly missing: number;
  /** Of which stream that is true. */
  readonly created: string;
}

/** The events of one lane that have arrived and are not yet confirmed: one unbroken chain from `base` on. */
export class LaneBuffer {
  gap: LaneGap | undefined;
  /** Events have been dropped for want of room: the stream has to be read again from the end of the chain. */
  overflowed = false;
  /** The hint led past an event: only reading from the first message tells whether it is lost. */
  hintMisled = false;
  askedAt = 0;
  private events: SourcedEvent[] = [];
  /** Index of the first event after the reader's position. */
  private unread = 0;
  private base: number;
  private baseHint: StreamHint | undefined;

  constructor(
    position: LanePosition,
    private readonly limit: number,
  ) {
    this.base = position.n;
    this.baseHint = position.hint;
  }

  /** Number of the last event of the chain. */
  get tail(): number {
    return this.events.at(-1)?.n ?? this.base;
  }

  /** Where that event stands in the stream. */
  get tailHint(): StreamHint | undefined {
    return this.events.length > 0 ? this.events.at(-1)!.hint : this.baseHint;
  }

  get full(): boolean {
    return this.events.length - this.unread >= this.limit;
  }

  /** There was an overflow, and half of the room is free again. */
  get wantsMore(): boolean {
    return this.overflowed && this.events.length - this.unread <= this.limit / 2;
  }

  /** Whether the chain reaches back to a position. */
  covers(n: number): boolean {
    return n >= this.base;
  }

  /** At most `size` events after a position that the chain {@link covers}. */
  after(position: LanePosition, size: number): SourcedEvent[] {
    if (position.n > this.tail) this.restartAt(position);
    while (this.unread < this.events.length && this.events[this.unread]!.n <= position.n) this.unread++;
    while (this.unread > 0 && this.events[this.unread - 1]!.n > position.n) this.unread--;
    if (this.unread > 2 * KEPT) {
      const gone = this.events.splice(0, this.unread - KEPT);
      this.base = gone.at(-1)!.n;
      this.baseHint = gone.at(-1)!.hint;
      this.unread = KEPT;
    }
    return this.events.slice(this.unread, this.unread + size);
  }

  /** What an arriving event is to the chain: its next link, one that it has already, or one whose predecessor is missing. */
  relationOf(event: SourcedEvent): 'next' | 'known' | 'gap' {
    if (event.n <= this.tail) return 'known';
    return event.prev <= this.tail ? 'next' : 'gap';
  }

  append(event: SourcedEvent): void {
    this.events.push(event);
  }

  /** The reader is further than the chain: somebody else has handled this lane meanwhile. */
  private restartAt(position: LanePosition): void {
    this.events = [];
    this.unread = 0;
    this.base = position.n;
    this.baseHint = position.hint;
    this.gap = undefined;
  }
}
