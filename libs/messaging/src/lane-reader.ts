import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { ContextDatabase } from '@nestbox/persistence';
import { Attempts } from './attempts.js';
import type { BatchContext } from './batch-context.js';
import { runBatch } from './batch.js';
import { isContention } from './deliveries.js';
import { NumbersWithdrawn } from './fresh-events.js';
import type { EventHandler } from './handlers.js';
import { BATCH_SIZE, Lane } from './lane.js';
import { LaneClaims, type LaneSight } from './lane-claims.js';
import { LaneLost } from './lane-transaction.js';
import { LANES } from './lanes.js';
import type { Lease } from './leases.js';
import { Poller } from './poller.js';
import type { Generation } from './protocol/generation.js';
import { decide } from './protocol/sharing.js';
import type { SlowHandlers } from './slow-handlers.js';
import type { EventSource } from './source.js';
import type { StallWatch } from './stall-watch.js';
import { holdsTooMuch, Throttle } from './throttle.js';
import { workOnHeldBack } from './throttle-turn.js';
import { NOTHING_BLOCKED, Trouble } from './trouble.js';
import { workOnTrouble } from './trouble-turn.js';
import type { Turns } from './turns.js';

/** Slow poll for events nobody announced. */
const POLL_MS = 1_000;
/** Pause after contention or an unreachable database, in ms, with jitter. */
const PAUSE_MS = 20;
/** When to look again for a lane that could not be taken yet, in ms. */
const CLAIM_AGAIN_MS = 250;
/** How often it is looked, in memory, whether a retry is due. */
const RETRIES_EVERY_MS = 50;

export interface LaneReaderOptions {
  /** Whose position this is: the context, or `<context>.<projection>`. */
  readonly reader: string;
  readonly db: ContextDatabase;
  readonly source: EventSource;
  readonly handlers: readonly EventHandler[];
  readonly lease: Lease;
  /** How many readers of this process come before it: they share what is left over in turn. */
  readonly place: number;
  readonly stalls: StallWatch;
  readonly turns: Turns;
  readonly slowHandlers: SlowHandlers;
  readonly logger: Logger;
}

/**
 * Follows a source lane by lane and runs the handlers, exactly once in effect. The lanes are shared among the living
 * processes of the same reader; each lane is handled in order by its one owner, lanes run in parallel.
 */
export class LaneReader {
  private readonly context: BatchContext;
  private readonly lanes = new Map<number, Lane>();
  /** When this process let go of a lane: what was seen before says nothing about it any more. */
  private readonly letGo = new Map<number, number>();
  private readonly sharer: Poller;
  private readonly fetcher: Poller;
  private readonly retryTimer: NodeJS.Timeout;
  private readonly working = new Set<Promise<void>>();
  private unsubscribe: (() => void)[] = [];
  private sight: LaneSight | undefined;
  private instance: string;
  private stopping = false;
  /** How often a source has taken back what it had given. */
  private withdrawals = 0;

  constructor(private readonly options: LaneReaderOptions) {
    const { db, reader, source, handlers, lease, stalls, turns, slowHandlers } = options;
    this.context = {
      db, reader, source: source.context, handlers, stalls, turns,
      claims: new LaneClaims(db, reader, source.context, lease),
      trouble: new Trouble(db, reader, source.context),
      throttle: new Throttle(db, reader, source.context),
      attempts: new Attempts(db, reader, source.context),
      slow: (handler, tookMs) => slowHandlers.note(handler, tookMs),
      certain: (n) => source.certain?.(n),
    };
    this.instance = lease.instance;
    const onError = (error: unknown) => options.logger.warn(`${this.name} could not work and tries again: ${(error as Error).message}`);
    const { pollMs = POLL_MS } = source;
    this.sharer = new Poller(() => this.shareLanes(), { onError });
    this.fetcher = new Poller(() => this.fetch(), { everyMs: Number.isFinite(pollMs) ? pollMs : undefined, onError });
    this.retryTimer = setInterval(() => this.wakeDue(), RETRIES_EVERY_MS).unref();
  }

  /** `<reader> ← <source>` */
  get name(): string {
    return `${this.options.reader} ← ${this.context.source}`;
  }

  /** Numbers of the lanes this process owns. */
  get owned(): number[] {
    return [...this.lanes.values()].filter((lane) => !lane.lost).map(({ lane }) => lane).toSorted((left, right) => left - right);
  }

  async start(): Promise<void> {
    const lanes = [...Array(LANES).keys()];
    const beginnings = await this.options.source.beginnings?.();
    await this.context.claims.prepare(lanes, beginnings);
    await this.options.source.start();
    this.sharer.start();
    this.fetcher.start();
    const { source } = this.options;
    const withdrawn = source.onWithdrawn?.((last) => this.withdraw(last)) ?? (() => undefined);
    this.unsubscribe = [withdrawn, source.onWake(() => this.fetcher.poke()), this.context.claims.watch(lanes, (sight) => this.see(sight))];
  }

  /** Finishes the transactions in progress and gives the lanes back. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.retryTimer);
    for (const off of this.unsubscribe) off();
    await Promise.all([this.sharer.stop(), this.fetcher.stop()]);
    await Promise.all(this.working);
    await this.options.source.stop();
    if (this.options.lease.valid) await this.context.claims.release([...this.lanes.values()]).catch(() => undefined);
    this.lanes.clear();
  }

  private see(sight: LaneSight): void {
    this.sight = sight;
    for (const number of sight.troubled) {
      const lane = this.lanes.get(number);
      if (lane) lane.retryAt = 0;
    }
    this.sharer.poke();
  }

  /** Takes this process' fair share of the lanes, and gives back what is above it. */
  private async shareLanes(): Promise<void> {
    const { sight } = this;
    if (!sight) return;
    const { beat, members } = sight;
    if (this.instance !== beat.instance) {
      this.loseAll();
      this.instance = beat.instance;
    }
    this.confirm(sight);
    const rows = sight.rows.filter(({ lane }) => beat.at >= (this.letGo.get(lane) ?? 0));
    const held = new Map([...this.lanes].map(([number, lane]) => [number, { gen: lane.gen, busy: lane.busy || lane.lost }]));
    const { superseded, own, free, surplus } = decide({ me: this.instance, rows, members, offset: this.options.place * LANES }, held);
    for (const number of superseded) this.drop(this.lanes.get(number)!);
    const claimed = await this.context.claims.claim(free);
    await this.takeUp([...own, ...claimed], beat.at);
    // The transaction of an owner that died is in the way, or somebody was faster.
    if (claimed.length < free.length) setTimeout(() => this.options.lease.ask(), CLAIM_AGAIN_MS).unref();
    for (const number of surplus) this.giveBack(this.lanes.get(number));
    // What could not be started while the lease was doubtful.
    for (const lane of this.lanes.values()) if (lane.hasWork) this.wake(lane);
  }

  /** What is as it was when it was last looked at may be relied on for longer. */
  private confirm({ rows, beat }: LaneSight): void {
    for (const { lane: number, gen, owner } of rows) {
      const lane = this.lanes.get(number);
      if (lane?.gen === gen && owner === this.instance) lane.confirm(beat.at);
    }
  }

  private async takeUp(taken: readonly Generation[], seenAt: number): Promise<void> {
    if (taken.length === 0) return;
    // Read after the lanes were taken: whoever still changes it moves the lane, and is noticed by that.
    const blocked = await this.context.trouble.blocked(taken.map(({ lane }) => lane));
    const heldBack = await this.context.throttle.heldBack(taken.map(({ lane }) => lane));
    if (this.options.lease.instance !== this.instance) return;
    for (const generation of taken) {
      const lane = new Lane(generation, seenAt, heldBack.get(generation.lane));
      lane.block(blocked.get(lane.lane) ?? NOTHING_BLOCKED);
      this.lanes.set(lane.lane, lane);
    }
    this.fetcher.poke();
  }

  /** Gives a lane back as soon as its transaction in progress has ended. */
  private giveBack(lane: Lane | undefined): void {
    if (!lane || lane.lost) return;
    lane.lost = true;
    const leaving = (lane.work ?? Promise.resolve())
      .then(() => (this.lanes.get(lane.lane) === lane ? this.context.claims.release([lane]) : undefined))
      .catch(() => undefined)
      .finally(() => {
        this.drop(lane);
        this.working.delete(leaving);
      });
    this.working.add(leaving);
  }

  private drop(lane: Lane): void {
    lane.lost = true;
    this.letGo.set(lane.lane, performance.now());
    if (this.lanes.get(lane.lane) === lane) this.lanes.delete(lane.lane);
  }

  private loseAll(): void {
    for (const lane of this.lanes.values()) this.drop(lane);
    this.letGo.clear();
  }

  private async fetch(): Promise<void> {
    // Ahead by one batch: the next events are here when the transaction in progress ends.
    const [hungry, fed] = [[] as Lane[], [] as Lane[]];
    for (const lane of this.lanes.values()) if (!lane.lost) (lane.buffer.length <= BATCH_SIZE ? hungry : fed).push(lane);
    // Whatever this fetch was for, they have not got it.
    for (const lane of fed) lane.moreToFetch = true;
    if (hungry.length === 0) return;
    const positions = hungry.map((lane) => ({ lane: lane.lane, n: lane.buffer.at(-1)?.n ?? lane.n, ...(lane.hint && { hint: lane.hint }) }));
    const { withdrawals } = this;
    const fetched = await this.options.source.fetch(positions, 2 * BATCH_SIZE);
    if (withdrawals !== this.withdrawals) return this.fetcher.poke();
    for (const lane of hungry) {
      const events = fetched.get(lane.lane);
      lane.moreToFetch = events !== undefined && events.length >= 2 * BATCH_SIZE;
      lane.behindSince = lane.moreToFetch ? (lane.behindSince ?? performance.now()) : undefined;
      if (!events) continue;
      lane.accept(events);
      this.wake(lane);
    }
  }

  /** At once, before any lane takes up what it has fetched: under these numbers the log will have other events. */
  private withdraw(last: number): void {
    this.withdrawals += 1;
    for (const lane of this.lanes.values()) lane.withdraw(last);
    this.fetcher.poke();
  }

  private wakeDue(): void {
    const now = performance.now();
    for (const lane of this.lanes.values()) if (lane.retryAt <= now) this.wake(lane);
  }

  private wake(lane: Lane): void {
    if (lane.busy || !this.mayStart(lane)) return;
    const work = this.work(lane).finally(() => {
      lane.work = undefined;
      this.working.delete(work);
      if (lane.hasWork) this.wake(lane);
    });
    lane.work = work;
    this.working.add(work);
  }

  private async work(lane: Lane): Promise<void> {
    try {
      while (this.mayStart(lane) && (lane.hasWork || lane.retryAt <= performance.now())) {
        if (lane.retryAt <= performance.now()) await workOnTrouble(this.context, lane);
        const blocked = lane.blocked.size;
        if (lane.moreToFetch && lane.buffer.length <= BATCH_SIZE) this.fetcher.poke();
        if (lane.buffer.length > 0 && !holdsTooMuch(lane)) await runBatch(this.context, lane);
        if (lane.heldBack.size > 0 && this.mayStart(lane)) await workOnHeldBack(this.context, lane);
        if (lane.blocked.size !== blocked) lane.block((await this.context.trouble.blocked([lane.lane])).get(lane.lane) ?? NOTHING_BLOCKED);
        if (lane.gen % 100 < 2) await this.context.claims.prune(lane.lane, lane.gen);
      }
    } catch (error) {
      await this.recover(lane, error);
    }
  }

  private async recover(lane: Lane, error: unknown): Promise<void> {
    if (error instanceof LaneLost) {
      this.drop(lane);
      // It may be its own all the same, moved by a transaction whose end it was not told.
      this.options.lease.ask();
      return;
    }
    // Dropped already; it comes again.
    if (error instanceof NumbersWithdrawn) return;
    lane.collisions += 1;
    if (!isContention(error)) this.options.logger.error(`${this.name}, lane ${lane.lane}: ${(error as Error).stack ?? error}`);
    else if (lane.collisions % 10 === 0) this.options.logger.warn(`${this.name}, lane ${lane.lane}: ${lane.collisions} collisions in a row, the last: ${(error as Error).message}`);
    const pause = PAUSE_MS * Math.min(25, lane.collisions) * (0.5 + Math.random());
    await sleep(pause);
  }

  private mayStart(lane: Lane): boolean {
    const { lease } = this.options;
    return !this.stopping && !lane.lost && lane.trusted && lease.valid && this.instance === lease.instance;
  }
}
