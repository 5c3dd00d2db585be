import type { StoredEvent } from './envelope.js';

/** How many events are kept for readers that are a little behind. */
const KEPT = 128;

/**
 * Numbers were given to events that did not get into the log with them: its database was lost, or somebody else numbers
 * it now. The events are where they were, and get others.
 */
export class NumbersWithdrawn extends Error {
  constructor() {
    super('The events were numbered, but not appended to the log; they are read again once they are.');
    this.name = new.target.name;
  }
}

/** Events whose statement is on its way into the log. */
interface Pending {
  readonly from: number;
  readonly upTo: number;
  readonly appended: Promise<void>;
}

/**
 * The newest events of a log, as the sequencer of this process has just numbered them: readers in the same process need
 * not ask the database for what was in its hands a moment ago. They may begin before the log has the events, and commit
 * when it has ({@link certain}); should the log never get them, they are told ({@link onWithdrawn}).
 */
export class FreshEvents {
  private events: StoredEvent[] = [];
  /** Every event above this number, up to the head, is here. */
  private from = Number.POSITIVE_INFINITY;
  private pending: Pending[] = [];
  private readonly listeners = new Set<(last: number) => void>();
  /** Number of the log's last event, as far as is known; it may be on its way. */
  head = 0;
  /** Number of the last event that is known to be in the log. */
  certainHead = 0;

  /** @param early whether readers may begin with what is not in the log yet; otherwise nothing of that kind is given here */
  constructor(readonly early = false) {}

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

  /**
   * Resolves when an event is in the log for certain; undefined when it is already. Asked for before anything else can
   * happen to the event that it is asked for: later the number may be another event's.
   * @throws NumbersWithdrawn
   */
  certain(n: number): Promise<void> | undefined {
    return this.pending.find(({ from, upTo }) => n >= from && n <= upTo)?.appended;
  }

  /** Waits for everything that is on its way now, however that ends. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.pending.map(({ appended }) => appended));
  }

  /** Calls `listener` when everything after a number is taken back. Returns how to stop listening. */
  onWithdrawn(listener: (last: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Adds events in the order of their numbers.
   * @param appended resolves when they are in the log; without it, they are
   */
  push(events: readonly StoredEvent[], appended?: Promise<void>): void {
    const news = events.filter(({ n }) => n > this.head);
    if (news.length === 0) return;
    if (news[0]!.n !== this.head + 1 || this.from === Number.POSITIVE_INFINITY) this.startAt(news[0]!.n - 1);
    this.events.push(...news);
    this.head = news.at(-1)!.n;
    if (appended) this.expect({ from: news[0]!.n, upTo: this.head, appended });
    else this.certainHead = this.head;
    const gone = this.events.splice(0, Math.max(0, this.events.length - KEPT));
    if (gone.length > 0) this.from = gone.at(-1)!.n;
  }

  /** The log is that far, by events that are not here. */
  reach(head: number): void {
    this.certainHead = Math.max(this.certainHead, head);
    if (head > this.head || this.from === Number.POSITIVE_INFINITY) this.startAt(Math.max(head, this.head));
  }

  /** Others may add to the log from now on. What is not certain may never get there. */
  forget(): void {
    const [first] = this.pending.splice(0);
    this.events = [];
    this.from = Number.POSITIVE_INFINITY;
    this.head = this.certainHead;
    // What the log has under these numbers by now may be somebody else's.
    if (first) for (const listener of this.listeners) listener(first.from - 1);
  }

  private expect(pending: Pending): void {
    this.pending.push(pending);
    const isStill = () => this.pending.includes(pending);
    pending.appended.then(
      () => {
        if (!isStill()) return;
        this.certainHead = Math.max(this.certainHead, pending.upTo);
        this.pending = this.pending.filter((one) => one !== pending);
      },
      () => undefined,
    );
  }

  private startAt(n: number): void {
    this.events = [];
    this.from = n;
    this.head = n;
  }
}
