import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ContextDatabase } from '@nestbox/persistence';
import { type Beat, type HeartbeatOrder, type HeartbeatReport, heartbeatSql, type Question, RENEW } from './heartbeat.js';
import { BEAT_EVERY_MS, leaseHolds, TERMS, type Terms } from './protocol/lease.js';

/** A main thread that was silent for longer is taken for dead, unless another time is set. */
export const STALL_MAX_MS = 10_000;
const SIGN_OF_LIFE_EVERY_MS = 300;
/** An expiry is looked at this much later than it should be, in ms. */
const EXPIRY_MARGIN_MS = 5;

/**
 * This process' membership in one database: who owns lanes, sequencers and relays there, and for how long. One
 * heartbeat a second renews it and brings the answers to everybody's questions. Times are the database's clock on the
 * server and the monotonic clock here; no session state is used, so poolers do no harm.
 */
export class Lease {
  private id: string = randomUUID();
  private readonly wanted = new Set<string>();
  private readonly joined = new Set<string>();
  private readonly questions = new Map<string, Question>();
  private readonly shared = new BigInt64Array(new SharedArrayBuffer(16));
  private worker: Worker | undefined;
  private signOfLife: NodeJS.Timeout | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private rejoining: Promise<void> | undefined;
  private lastProblem: string | undefined;

  /** @param stallMaxMs a main thread that was silent for longer is taken for dead */
  constructor(private readonly db: ContextDatabase, private readonly stallMaxMs: number, private readonly terms: Terms) {}

  /** Random per process start, and again after the lease was lost: a paused process never mistakes itself for an owner. */
  get instance(): string {
    return this.id;
  }

  /** True while nobody else can have taken what this process owns. */
  get valid(): boolean {
    return leaseHolds(msSince(Atomics.load(this.shared, 1)), this.terms);
  }

  /** Announces this process as a living member of a reader's group. */
  async join(reader: string): Promise<void> {
    this.wanted.add(reader);
    await this.rejoining;
    const { id } = this;
    const started = process.hrtime.bigint();
    await this.insert([reader], id);
    // Lost meanwhile: who comes back joins everything that is wanted.
    if (id !== this.id) return;
    if (this.joined.size === 0) Atomics.store(this.shared, 1, started);
    this.joined.add(reader);
    this.startWorker();
    this.ask();
  }

  /** Asks a question at every heartbeat, the next one at once. Returns how to stop asking. */
  watch(name: string, question: Question): () => void {
    this.questions.set(name, question);
    this.ask();
    return () => {
      this.questions.delete(name);
      this.ask();
    };
  }

  /** Does not wait for the second to pass: something has happened that others' answers depend on. */
  ask(): void {
    if (this.rejoining) return;
    const questions = [...this.questions.keys()];
    const order: HeartbeatOrder = { instance: this.id, readers: [...this.joined], questions, sql: heartbeatSql([...this.questions.values()].map(({ sql }) => sql)) };
    this.worker?.postMessage(order);
  }

  /** Leaves at once, so that others need not wait for the lease to run out. */
  async stop(): Promise<void> {
    clearInterval(this.signOfLife);
    clearTimeout(this.expiry);
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
    await this.db.enginePool.query('delete from nb.member where instance = $1', [this.id]).catch(() => undefined);
  }

  private heard(report: HeartbeatReport): void {
    const { instance, readers, questions } = report.order;
    if (instance !== this.id || !this.worker) return;
    if (report.renewed < readers.length) return this.lost();
    if (report.problem !== undefined && report.problem !== this.lastProblem) this.db.warn(`The heartbeat of this process renews its lease, but has no answers to its questions: ${report.problem}`);
    this.lastProblem = report.problem;
    const { members, answers } = report;
    if (!members || !answers) return;
    const beat: Beat = {
      instance,
      at: performance.now() - msSince(report.started),
      // Itself in any case: it has just been renewed, although its old end may have passed since.
      members: (reader) => [...new Set([instance, ...members.filter(([group]) => group === reader).map(([, member]) => member)])].toSorted(),
    };
    this.expectExpiry(members.filter(([, member]) => member !== instance).map(([, , left]) => beat.at + left));
    for (const [index, name] of questions.entries()) this.questions.get(name)?.heard(answers[index] ?? null, beat);
  }

  /** A member that does not renew itself in time is known to be dead the moment it is, not a heartbeat later. */
  private expectExpiry(ends: readonly number[]): void {
    clearTimeout(this.expiry);
    const wait = Math.min(...ends) - performance.now() + EXPIRY_MARGIN_MS;
    if (wait < BEAT_EVERY_MS) this.expiry = setTimeout(() => this.ask(), Math.max(0, wait)).unref();
  }

  /** The lease has run out: becomes a new member under a new id. What the old id owned is lost. */
  private lost(): void {
    Atomics.store(this.shared, 1, 0n);
    this.rejoining ??= this.rejoin().then(
      () => {
        this.rejoining = undefined;
        this.ask();
      },
      (error: Error) => {
        // The next heartbeat finds it lost once more.
        this.rejoining = undefined;
        this.db.warn(`The lease could not be had again yet: ${error.message}`);
      },
    );
  }

  private async rejoin(): Promise<void> {
    const started = process.hrtime.bigint();
    const readers = [...this.wanted];
    const id = randomUUID();
    await this.insert(readers, id);
    this.id = id;
    for (const reader of readers) this.joined.add(reader);
    Atomics.store(this.shared, 1, started);
  }

  /** Also notes which process an id is, for people, for longer than what tells of it; and forgets who is long gone. */
  private async insert(readers: readonly string[], id: string): Promise<void> {
    await this.db.enginePool.query(
      `with gone as (delete from nb.member where until < clock_timestamp() - interval '1 minute'),
         forgotten as (delete from nb.instance where started_at < clock_timestamp() - interval '90 days'),
         known as (insert into nb.instance (instance, process) values ($2, $3) on conflict do nothing)
       insert into nb.member select reader, $2, clock_timestamp() + $4::int * interval '1 ms' from unnest($1::text[]) reader
       on conflict (reader, instance) do update set until = excluded.until`,
      [readers, id, `${hostname()}:${process.pid}`, this.terms.ttl],
    );
  }

  private startWorker(): void {
    if (this.worker) return;
    const signal = () => Atomics.store(this.shared, 0, process.hrtime.bigint());
    signal();
    clearInterval(this.signOfLife);
    this.signOfLife = setInterval(signal, SIGN_OF_LIFE_EVERY_MS).unref();
    const file = import.meta.url.endsWith('.ts') ? './lease-worker.ts' : './lease-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: { url: this.db.url, shared: this.shared, ttlMs: this.terms.ttl, beatEveryMs: BEAT_EVERY_MS, stallMaxMs: this.stallMaxMs, renew: RENEW },
    });
    this.worker = worker;
    worker.on('message', (report: HeartbeatReport) => this.heard(report));
    worker.on('error', (error) => {
      this.db.warn(`The lease worker failed and is started again: ${error.message}`);
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.startWorker();
      this.ask();
    });
  }
}

/** One lease per database of this process, shared by all contexts that live there. */
export class Leases {
  private readonly byUrl = new Map<string, Lease>();

  constructor(private readonly stallMaxMs = STALL_MAX_MS, private readonly terms = TERMS) {}

  of(db: ContextDatabase): Lease {
    let lease = this.byUrl.get(db.url);
    if (!lease) this.byUrl.set(db.url, (lease = new Lease(db, this.stallMaxMs, this.terms)));
    return lease;
  }

  /** Asks the questions of all at once. */
  ask(): void {
    for (const lease of this.byUrl.values()) lease.ask();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.byUrl.values()].map((lease) => lease.stop()));
  }
}

function msSince(started: bigint): number {
  return Number(process.hrtime.bigint() - started) / 1e6;
}
