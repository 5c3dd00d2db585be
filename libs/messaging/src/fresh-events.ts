import type { StoredEvent } from './envelope.js';

/** How many events are kept for readers that are a little behind. */
const KEPT = 128;

/**
 * The newest events of a log, as the sequencer of this process has just numbered them: readers in the same process need
 * not ask the database for what was in its hands a moment ago.
 */
export class FreshEvents {
  private events: StoredEvent[] = [];
  /** Every event above this number, up to the head, is here. */
  private from = Number.POSITIVE_INFINITY;
  /** Number of the log's last event, as far as is known. */
  head = 0;

  /** Whether everything after a number is here. */
  covers(n: number): boolean {
    return n >= this.from;
  }

  /** The events of a lane after a number that {@link covers} holds for. */
  after(n: number, lane: number, limit: number): StoredEvent[] {
    return this.events.filter((event) => event.lane === lane && event.n > n).slice(0, limit);
  }

  /** The events of all lanes after a number that {@link covers} holds for. */
  since(n: number, limit: number): StoredEvent[] {
    return this.events.filter((event) => event.n > n).slice(0, limit);
  }

  /** Adds events in the order of their numbers. */
  push(events: readonly StoredEvent[]): void {
    const news = events.filter(({ n }) => n > this.head);
    if (news.length === 0) return;
    if (news[0]!.n !== this.head + 1 || this.from === Number.POSITIVE_INFINITY) this.startAt(news[0]!.n - 1);
    this.events.push(...news);
    this.head = news.at(-1)!.n;
    const gone = this.events.splice(0, Math.max(0, this.events.length - KEPT));
    if (gone.length > 0) this.from = gone.at(-1)!.n;
  }

  /** The log is that far, by events that are not here. */
  reach(head: number): void {
    if (head > this.head || this.from === Number.POSITIVE_INFINITY) this.startAt(Math.max(head, this.head));
  }

  /** Others may add to the log from now on. */
  forget(): void {
    this.events = [];
    this.from = Number.POSITIVE_INFINITY;
  }

  private startAt(n: number): void {
    this.events = [];
    this.from = n;
    this.head = n;
  }
}
