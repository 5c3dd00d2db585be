import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, QueryConfig } from 'pg';
import type { Logger } from '@nestjs/common';
import { type ContextDatabase, sqlState } from '@nestbox/persistence';
import type { FreshEvents } from './fresh-events.js';
import type { Beat } from './heartbeat.js';
import type { Lease } from './leases.js';
import { LogAppender } from './log-appender.js';
import { type Found, Looker, parseSnapshot, type Snapshot } from './looker.js';
import { PARTITIONS_AHEAD } from './messaging-tables.js';
import { ensurePartitions } from './partitions.js';
import { Poller } from './poller.js';
import { FEW, type SequencerSql, sequencerSql } from './sequencer-sql.js';
import { toStoredEvent } from './stored-event-row.js';
import type { WakeUps } from './wake-ups.js';

/** Generations kept for reading the history; older rows are pruned. */
const KEEP_GENERATIONS = 100;
/** Longest pause after several events came at once, in ms: where there are more than one a ms, many of them share a turn. */
const MOST_PAUSE_MS = 16;
/** How long the numbering may go unanswered: at first, and at most, when it has failed again and again. */
const PATIENCE_MS = 10_000;
const MOST_PATIENCE_MS = 600_000;

interface Ownership {
  readonly instance: string;
  readonly looker: Looker;
  readonly appender: LogAppender;
  /** The snapshot that has seen the last event with a number. */
  snap: Snapshot;
  /** The last number given; the log may not have it yet. */
  head: number;
  /** The last number of each lane. */
  heads: readonly number[];
  /** Generations by statements of its own, and all together when it last tidied up. */
  steps: number;
  tidied: number;
}

interface Advance {
  n: number;
  head: string;
  heads: string[] | null;
  gen: string | null;
  snap: string;
  mine: boolean;
  replica: boolean;
}

/** The owner, the log's head, and whether there are events that have no number yet. */
type SequencerState = readonly [owner: string | null, head: number, unnumbered: boolean];

/**
 * Gives the committed events of a context their number in the log. Transactions commit out of order, so it takes the
 * difference of two snapshots (rows visible now that were not visible at the last look) and never waits for a
 * transaction that is still open. One owner per context; a second one fails on a primary key and changes nothing.
 */
export class Sequencer {
  private readonly sql: SequencerSql;
  private readonly reader: string;
  private readonly poller: Poller;
  private owned: Ownership | undefined;
  /** Why the log could not be appended to. */
  private failure: unknown;
  private patience = PATIENCE_MS;
  /** Nobody else owns the log, as far as is known. */
  private candidate = false;
  /** How often in a row the log had too few partitions. */
  private tooShort = 0;
  /** How far the log is, as far as this process' readers have been told. */
  private announced = 0;
  private unsubscribe: (() => void)[] = [];

  constructor(
    private readonly db: ContextDatabase,
    private readonly lease: Lease,
    private readonly wakeUps: WakeUps,
    private readonly logger: Logger,
    private readonly fresh?: FreshEvents,
  ) {
    this.sql = sequencerSql(db.schema);
    this.reader = `sequencer:${db.context}`;
    this.poller = new Poller(() => this.turn(), { onError: (error) => this.failed(error) });
  }

  async start(): Promise<void> {
    await this.lease.join(this.reader);
    this.poller.start();
    this.unsubscribe = [
      this.wakeUps.on(`commit.${this.db.context}`, () => this.committed()),
      this.lease.watch(this.reader, { sql: this.sql.state, heard: (answer, beat) => this.heard(JSON.parse(answer!) as SequencerState, beat) }),
    ];
  }

  async stop(): Promise<void> {
    for (const off of this.unsubscribe) off();
    await this.poller.stop();
    const { owned } = this;
    await owned?.appender.settled().catch(() => undefined);
    this.disown();
    if (owned) await this.db.enginePool.query(this.sql.release, [owned.appender.gen, owned.instance]).catch(() => undefined);
  }

  private committed(): boolean {
    this.poller.poke();
    return this.owned !== undefined;
  }

  /** A heartbeat brings what nobody has announced: events without a number, numbers given elsewhere, an owner that died. */
  private heard([owner, head, unnumbered]: SequencerState, beat: Beat): void {
    this.reach(head);
    this.candidate = owner === null || owner === beat.instance || !beat.members(this.reader).includes(owner);
    if (this.candidate && (unnumbered || !this.owned)) this.poller.poke();
  }

  /** The log is that far. */
  private reach(head: number): void {
    if (this.owned && head > this.announced) this.fresh?.reach(head);
    this.announce(head);
  }

  private announce(head: number): void {
    if (head <= this.announced) return;
    this.announced = head;
    this.wakeUps.poke(`log.${this.db.context}`);
  }

  /** What has a number and is not in the log gets another: readers that have begun with it are told. */
  private disown(): void {
    if (!this.owned) return;
    this.owned.appender.close();
    this.owned.looker.close();
    this.owned = undefined;
    this.fresh?.forget();
    // What is numbered anew has to be announced anew.
    if (this.fresh?.early) this.announced = Math.min(this.announced, this.fresh.certainHead);
  }

  private async turn(): Promise<void> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    if (!this.lease.valid || this.owned?.instance !== this.lease.instance) this.disown();
    // Without a valid lease the next heartbeat says how to go on.
    if (!this.lease.valid || !(this.owned || this.candidate)) return;
    this.owned ??= await this.takeOver();
    if (!this.owned) return;
    const numbered = await this.step(this.owned);
    if (numbered > 1) await sleep(Math.min(numbered - 1, MOST_PAUSE_MS));
  }

  /** Returns how many events were numbered. */
  private async step(owned: Ownership): Promise<number> {
    const rows = await owned.looker.look(owned.snap);
    if (this.owned !== owned) return 0;
    if (rows[0]!.replica) return this.refuse(true);
    const found = rows.filter(({ position }) => position !== null);
    if (found.length > FEW) return this.advance(owned);
    if (found.length > 0) this.number(owned, rows[0]!.snap, found);
    if (owned.steps + owned.appender.appended >= owned.tidied + KEEP_GENERATIONS) await this.tidy(owned);
    return found.length;
  }

  /**
   * Gives numbers to what was found, and has it appended to the log, together with the snapshot that saw it. Whoever has
   * become the owner meanwhile has taken the next generation, so that nothing is appended here. The next look does not
   * wait for that, and neither do readers in this process.
   */
  private number(owned: Ownership, snap: string, found: readonly Found[]): void {
    const heads = [...owned.heads];
    const numbered = found
      .toSorted((left, right) => Number(left.position) - Number(right.position))
      .map((row, index) => {
        const n = owned.head + index + 1;
        const prev = heads[row.lane]!;
        heads[row.lane] = n;
        return { ...row, n, prev };
      });
    Object.assign(owned, { snap: parseSnapshot(snap), head: owned.head + numbered.length, heads });
    const { head } = owned;
    const appended = owned.appender.append(numbered, snap, heads);
    const tell = (certain?: Promise<void>) => {
      if (this.owned === owned) this.fresh?.push(numbered.map(toStoredEvent), certain);
      this.announce(head);
    };
    if (this.fresh?.early) tell(appended);
    // Of a failure the appender tells.
    else appended.then(() => tell(), () => undefined);
  }

  /** More than can be numbered in memory at once. */
  private async advance(owned: Ownership): Promise<number> {
    // A failure has made it give up the log by then.
    await owned.appender.settled().catch(() => undefined);
    return this.owned === owned ? this.run(owned, this.sql.advance, [owned.snap.xmax, owned.snap.running]) : 0;
  }

  private async takeOver(): Promise<Ownership | undefined> {
    const { rows } = await this.db.enginePool.query(this.sql.newest, [this.reader]);
    const [newest] = rows as { gen: string; owner: string | null; snap: string; head: string; heads: string[]; alive: boolean; same: boolean }[];
    if (!newest) return undefined;
    const { instance } = this.lease;
    let { gen } = newest;
    // Its own already: a statement failed, or was not answered, after which nothing in memory can be trusted.
    if (newest.owner !== instance) {
      if (newest.alive) return undefined;
      const taken = await this.db.enginePool.query(this.sql.takeOver, [gen, instance, this.reader]);
      if (taken.rows.length === 0) return undefined;
      gen = taken.rows[0].gen;
    }
    const looker = await Looker.open(this.db, this.fresh ? this.sql.lookCloser : this.sql.look);
    let appender: LogAppender | undefined;
    try {
      appender = this.appender(await this.db.connectAlone(), instance, gen);
      const owned: Ownership = { instance, looker, appender, snap: parseSnapshot(newest.snap), head: Number(newest.head), heads: newest.heads.map(Number), steps: 0, tidied: 0 };
      if (!newest.same) await this.recover(owned);
      await this.ensurePartitions();
      return owned;
    } catch (error) {
      appender?.close();
      looker.close();
      throw error;
    }
  }

  private appender(client: Client, instance: string, gen: string): LogAppender {
    const statement = this.db.prepared.named({ text: this.sql.number, values: [] });
    const appender: LogAppender = new LogAppender({
      client, instance, gen, statement,
      failed: (error) => {
        if (this.owned?.appender !== appender) return;
        this.disown();
        this.failure = error;
        if (error !== undefined) this.poller.poke();
      },
    });
    return appender;
  }

  /**
   * The database was restored or has failed over: transaction ids start again, and its newest events may be gone
   * although others have seen them. Their numbers are left out, and what has none is found without any snapshot.
   */
  private async recover(owned: Ownership): Promise<void> {
    const { rows } = await this.db.enginePool.query(this.sql.leap, [owned.appender.gen, owned.instance]);
    owned.appender.gen = rows[0].gen;
    owned.head = Number(rows[0].head);
    await this.ensurePartitions();
    const found = await this.run(owned, this.sql.recover, []);
    this.logger.warn(`The database of "${this.db.context}" was restored or has failed over: its events go on with much higher numbers. ${found} had none yet.`);
  }

  /** Returns how many events were numbered. */
  private async run(owned: Ownership, sql: string, bounds: readonly unknown[]): Promise<number> {
    // Whatever has no number gets one at once, which takes long after a long outage; yet a connection may be silent for ever.
    const { rows } = await this.db.enginePool.query({ text: sql, values: [owned.appender.gen, owned.instance, ...bounds], query_timeout: this.patience } as QueryConfig);
    this.patience = PATIENCE_MS;
    const [result] = rows as Advance[];
    if (!result!.mine || result!.replica) return this.refuse(result!.replica);
    // Never a snapshot that is not stored: after a crash of the server, ids that had left no trace are given again.
    if (result!.gen) {
      owned.appender.gen = result!.gen;
      Object.assign(owned, { snap: parseSnapshot(result!.snap), head: Number(result!.head), heads: result!.heads!.map(Number) });
      owned.steps += 1;
    }
    this.tooShort = 0;
    this.reach(Number(result!.head));
    return result!.n;
  }

  private refuse(replica = false): number {
    this.disown();
    if (replica) this.logger.error(`"${this.db.context}" is connected to a standby, whose snapshots lack open transactions: nothing is published until it is connected to the primary.`);
    return 0;
  }

  private async tidy(owned: Ownership): Promise<void> {
    owned.tidied = owned.steps + owned.appender.appended;
    await this.db.enginePool.query(`delete from "${this.db.schema}".sequencer where gen < $1::bigint - ${KEEP_GENERATIONS}`, [owned.appender.gen]);
    await this.ensurePartitions();
  }

  /** A backlog that reaches beyond the partitions of the log is numbered whole: each time it fails, twice as many are made. */
  private async ensurePartitions(): Promise<void> {
    await ensurePartitions(this.db, this.logger, PARTITIONS_AHEAD * 2 ** this.tooShort);
  }

  private failed(error: unknown): void {
    this.disown();
    this.candidate = true;
    this.patience = Math.min(MOST_PATIENCE_MS, 2 * this.patience);
    // 23514: no partition for a number.
    if (sqlState(error) === '23514') this.tooShort += 1;
    // 23505: another process has become the owner, as it should when this one was slow.
    if (sqlState(error) !== '23505') this.logger.warn(`The sequencer of "${this.db.context}" could not work and tries again: ${(error as Error).message}`);
  }
}
