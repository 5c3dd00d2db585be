import type { Logger } from '@nestjs/common';
import type { ContextDatabase } from '@nestbox/persistence';
import { type BatchContext, isContention, runBatch } from './batch.js';
import type { EventHandler } from './handlers.js';
import { BATCH_SIZE, Lane } from './lane.js';
import { LaneClaims } from './lane-claims.js';
import { LaneLost } from './lane-transaction.js';
import { LANES } from './lanes.js';
import type { Lease } from './leases.js';
import { Poller } from './poller.js';
import type { EventSource } from './source.js';
import { Trouble } from './trouble.js';
import { workOnTrouble } from './trouble-turn.js';

/** How often lanes are claimed and given up. */
const CLAIM_EVERY_MS = 600;
/** Slow poll for events nobody announced. */
const POLL_MS = 1_000;
/** Pause after contention or an unreachable database, in ms, with jitter. */
const PAUSE_MS = 20;
/** How often retries that are due are looked for. */
const TROUBLE_EVERY_MS = 200;

export interface LaneReaderOptions {
  /** Whose position this is: the context, or `<context>.<projection>`. */
  readonly reader: string;
  readonly db: ContextDatabase;
  readonly source: EventSource;
  readonly handlers: readonly EventHandler[];
  readonly lease: Lease;
  readonly logger: Logger;
}

/**
 * Follows a source lane by lane and runs the handlers, exactly once in effect. The lanes are shared among the living
 * processes of the same reader; each lane is handled in order by its one owner, lanes run in parallel.
 */
export class LaneReader {
  private readonly context: BatchContext;
  private readonly lanes = new Map<number, Lane>();
  private readonly claimer: Poller;
  private readonly fetcher: Poller;
  private readonly troubleTimer: NodeJS.Timeout;
  private readonly working = new Set<Promise<void>>();
  private unsubscribe: (() => void) | undefined;
  private instance: string;
  private stopping = false;

  constructor(private readonly options: LaneReaderOptions) {
    const { db, reader, source, handlers, lease } = options;
    this.context = {
      db, reader, source: source.context, handlers,
      claims: new LaneClaims(db, reader, source.context, lease),
      trouble: new Trouble(db, reader, source.context),
    };
    this.instance = lease.instance;
    const failed = (error: unknown) => options.logger.warn(`${this.name} could not work and tries again: ${(error as Error).message}`);
    this.claimer = new Poller(() => this.shareLanes(), CLAIM_EVERY_MS, failed);
    this.fetcher = new Poller(() => this.fetch(), POLL_MS, failed);
    this.troubleTimer = setInterval(() => this.wakeTroubled(), TROUBLE_EVERY_MS).unref();
  }

  /** `<reader> ← <source>` */
  get name(): string {
    return `${this.options.reader} ← ${this.context.source}`;
  }

  /** Numbers of the lanes this process owns. */
  get owned(): number[] {
    return [...this.lanes.keys()].sort((left, right) => left - right);
  }

  async start(): Promise<void> {
    await this.context.claims.prepare([...Array(LANES).keys()]);
    await this.options.source.start();
    this.unsubscribe = this.options.source.onWake(() => this.fetcher.poke());
    this.claimer.start();
    this.fetcher.start();
  }

  /** Finishes the transactions in progress and gives the lanes back. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.troubleTimer);
    this.unsubscribe?.();
    await Promise.all([this.claimer.stop(), this.fetcher.stop()]);
    await Promise.all(this.working);
    await this.options.source.stop();
    if (this.options.lease.valid) await this.context.claims.release(this.owned).catch(() => undefined);
    this.lanes.clear();
  }

  /** Takes this process' fair share of the lanes, and gives back what is above it. */
  private async shareLanes(): Promise<void> {
    const { lease } = this.options;
    if (!lease.valid) {
      this.loseAll();
      await lease.rejoin();
    }
    if (this.instance !== lease.instance) {
      this.loseAll();
      this.instance = lease.instance;
    }
    const { claims } = this.context;
    const { count, rank } = await claims.members();
    const members = Math.max(1, count);
    const share = Math.ceil(LANES / members);
    // Neighbouring lanes go to different processes: a tenant's few lanes are neighbours.
    const preferred = (lane: number) => (lane % members === rank ? 0 : 1);
    const free = (await claims.free()).sort((left, right) => preferred(left) - preferred(right));
    for (const lane of free) this.forgetTaken(lane);
    for (const lane of free.slice(0, Math.max(0, share - this.lanes.size))) await this.claim(lane);
    const surplus = [...this.lanes.values()].sort((left, right) => preferred(right.lane) - preferred(left.lane)).slice(0, Math.max(0, this.lanes.size - share));
    for (const lane of surplus) await this.giveBack(lane);
    this.fetcher.poke();
  }

  private async claim(number: number): Promise<void> {
    const claimed = await this.context.claims.claim(number);
    if (!claimed) return;
    const lane = new Lane(claimed, await this.context.trouble.blocked(number));
    if (this.options.lease.instance === this.instance) this.lanes.set(number, lane);
  }

  /** Gives a lane back between two transactions; a busy one waits for the next turn. */
  private async giveBack(lane: Lane): Promise<void> {
    if (lane.busy) return;
    lane.lost = true;
    this.lanes.delete(lane.lane);
    await this.context.claims.release([lane.lane]);
  }

  /** A lane held here that has no owner any more was set back by a rebuild: it is claimed anew, at its new position. */
  private forgetTaken(number: number): void {
    const lane = this.lanes.get(number);
    if (!lane || lane.busy) return;
    lane.lost = true;
    this.lanes.delete(number);
  }

  private loseAll(): void {
    for (const lane of this.lanes.values()) lane.lost = true;
    this.lanes.clear();
  }

  private async fetch(): Promise<void> {
    // Ahead by one batch: the next events are here when the transaction in progress ends.
    const hungry = [...this.lanes.values()].filter((lane) => lane.buffer.length < BATCH_SIZE);
    if (hungry.length === 0) return;
    const positions = hungry.map((lane) => ({ lane: lane.lane, n: lane.buffer.at(-1)?.n ?? lane.n, ...(lane.hint && { hint: lane.hint }) }));
    const fetched = await this.options.source.fetch(positions, 2 * BATCH_SIZE);
    for (const lane of hungry) {
      const events = fetched.get(lane.lane);
      if (!events) continue;
      lane.accept(events);
      this.wake(lane);
    }
  }

  private wakeTroubled(): void {
    for (const lane of this.lanes.values()) if (lane.blocked.size > 0) this.wake(lane);
  }

  private wake(lane: Lane): void {
    if (lane.busy || lane.lost || this.stopping) return;
    lane.busy = true;
    const work = this.work(lane).finally(() => {
      lane.busy = false;
      this.working.delete(work);
      if (lane.buffer.length > 0) this.wake(lane);
    });
    this.working.add(work);
  }

  private async work(lane: Lane): Promise<void> {
    try {
      if (lane.blocked.size > 0 && this.mayStart(lane)) await workOnTrouble(this.context, lane);
      while (lane.buffer.length > 0 && this.mayStart(lane)) {
        if (lane.buffer.length <= BATCH_SIZE) this.fetcher.poke();
        await runBatch(this.context, lane);
      }
      if (lane.gen % 100 < 2) await this.context.claims.prune(lane.lane, lane.gen);
    } catch (error) {
      await this.recover(lane, error);
    }
  }

  private async recover(lane: Lane, error: unknown): Promise<void> {
    if (error instanceof LaneLost) {
      lane.lost = true;
      if (this.lanes.get(lane.lane) === lane) this.lanes.delete(lane.lane);
      return;
    }
    lane.collisions += 1;
    if (!isContention(error)) this.options.logger.error(`${this.name}, lane ${lane.lane}: ${(error as Error).stack ?? error}`);
    else if (lane.collisions % 10 === 0) this.options.logger.warn(`${this.name}, lane ${lane.lane}: ${lane.collisions} collisions in a row, the last: ${(error as Error).message}`);
    const pause = PAUSE_MS * Math.min(25, lane.collisions) * (0.5 + Math.random());
    await new Promise((resolve) => setTimeout(resolve, pause));
  }

  private mayStart(lane: Lane): boolean {
    return !this.stopping && !lane.lost && this.options.lease.valid && this.instance === this.options.lease.instance;
  }
}
