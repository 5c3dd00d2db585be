import type { SourcedEvent, StreamHint } from './envelope.js';
import type { EventHandler } from './handlers.js';
import type { Generation } from './protocol/generation.js';
import { looksTrue } from './protocol/lease.js';
import type { LanePosition } from './source.js';
import type { HeldBack } from './throttle.js';
import type { Blocked } from './trouble.js';

/** Most events in one transaction. */
export const BATCH_SIZE = 50;

/** A lane while this process owns it. */
export class Lane implements LanePosition {
  readonly lane: number;
  readonly owner: string | null;
  gen: number;
  n: number;
  hint: StreamHint | undefined;
  /** Owners in a row that died while they held it; from 2 on its events are run one by one, each noted before. */
  crashes: number;
  /** Fetched and not handled yet. */
  buffer: SourcedEvent[] = [];
  /** Handlers and keys with events in trouble: `<handler> <key>`. Only the owner changes it, so memory is right. */
  blocked = new Set<string>();
  /** When the first of them should be tried again, on this process' monotonic clock. */
  retryAt = Number.POSITIVE_INFINITY;
  /** Tenants whose events are held back, the next to have its turn first. */
  readonly heldBack: Map<string, HeldBack>;
  /** The source has, or may have, more than was fetched, and nobody will say so again. */
  moreToFetch = false;
  /** Since when, on this process' monotonic clock, there has always been more to fetch than was asked for. */
  behindSince: number | undefined;
  private readonly tenants = new Set<string>();
  /** Halved when transactions collide, grown when they do not. */
  batchSize = BATCH_SIZE;
  /** Events that failed in a batch, by number, and by handler what is known to be wrong: they run alone. */
  readonly suspects = new Map<number, Map<EventHandler, unknown>>();
  /** Owners in a row that had died with it before this one. */
  readonly deaths: number;
  /** So many events run alone, each noted before, so that one that kills the process is found; unknown before the first. */
  careful: number | undefined;
  /** Transactions in a row that collided with others. */
  collisions = 0;
  /** The work in progress. */
  work: Promise<void> | undefined;
  /** No more work is started. */
  lost = false;
  /** When `gen` was last known to be the newest: on the clock that cannot be set, and on the one that runs while the machine sleeps, too. */
  private confirmedAt = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

  /** @param confirmedAt when `taken` was known to be the newest generation, on this process' monotonic clock */
  constructor(taken: Generation, confirmedAt: number, heldBack?: Map<string, HeldBack>) {
    this.confirm(confirmedAt);
    this.heldBack = heldBack ?? new Map();
    this.lane = taken.lane;
    this.owner = taken.owner;
    this.gen = taken.gen;
    this.n = taken.n;
    this.hint = taken.hint;
    this.crashes = taken.crashes;
    this.deaths = taken.crashes;
  }

  get busy(): boolean {
    return this.work !== undefined;
  }

  /** Whether anything is there to be handled. */
  get hasWork(): boolean {
    return this.buffer.length > 0 || this.heldBack.size > 0;
  }

  /** Whether more than one tenant has been seen in it. */
  get severalTenants(): boolean {
    return this.tenants.size > 1;
  }

  /** Whether the fence can still be relied on to fail, had another owner moved the lane. */
  get trusted(): boolean {
    const { monotonic, wall } = this.confirmedAt;
    return looksTrue(Math.max(performance.now() - monotonic, Date.now() - wall));
  }

  /** Notes that its generation was still the newest at `at`, on this process' monotonic clock. */
  confirm(at: number): void {
    if (at > this.confirmedAt.monotonic) this.confirmedAt = { monotonic: at, wall: Date.now() - (performance.now() - at) };
  }

  /** Notes what is in trouble. */
  block({ names, dueInMs }: Blocked): void {
    this.blocked = new Set(names);
    this.retryAt = dueInMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + dueInMs;
  }

  /** Takes what a source has fetched. @throws when the source has skipped something */
  accept(events: readonly SourcedEvent[]): void {
    let last = this.buffer.at(-1)?.n ?? this.n;
    for (const event of events) {
      if (event.n <= last) continue;
      if (event.prev > last) throw new Error(`Lane ${this.lane} stands at ${last}, but the next event is ${event.n} and follows ${event.prev}: events are missing in between.`);
      this.buffer.push(event);
      if (this.tenants.size < 2) this.tenants.add(event.tenantId);
      last = event.n;
    }
  }

  /** Forgets what was fetched after a number, and what was found out about it. */
  withdraw(last: number): void {
    this.buffer = this.buffer.filter(({ n }) => n <= last);
    for (const n of this.suspects.keys()) if (n > last) this.suspects.delete(n);
  }

  /** Notes a committed transaction, begun at `begunAt`, that has made `next` of the lane. */
  moved(next: Generation, begunAt: number): void {
    this.gen = next.gen;
    this.n = next.n;
    this.hint = next.hint;
    this.crashes = next.crashes;
    this.confirm(begunAt);
    this.collisions = 0;
    while (this.buffer[0] && this.buffer[0].n <= next.n) this.buffer.shift();
  }
}
