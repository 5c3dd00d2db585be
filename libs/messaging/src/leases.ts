import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { ContextDatabase } from '@nestbox/persistence';

/** How long a lease lives without renewal. The renewal's SQL says the same. */
const TTL_MS = 2_000;
const RENEW_EVERY_MS = 600;
/** Stop starting work this long before the lease could be taken by another. */
const SAFETY_MS = 300;
/** A main thread that was silent for longer is taken for dead. */
const STALL_MAX_MS = 10_000;

/**
 * This process' membership in one database: who owns lanes, sequencers and relays there, and for how long. Times are
 * the database's clock on the server and the monotonic clock here; no session state is used, so poolers do no harm.
 */
export class Lease {
  private id: string = randomUUID();
  private readonly readers = new Set<string>();
  private readonly shared = new BigInt64Array(new SharedArrayBuffer(24));
  private worker: Worker | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private rejoining: Promise<void> | undefined;

  constructor(private readonly db: ContextDatabase) {}

  /** Random per process start, and again after the lease was lost: a paused process never mistakes itself for an owner. */
  get instance(): string {
    return this.id;
  }

  /** True while nobody else can have taken what this process owns. */
  get valid(): boolean {
    const age = process.hrtime.bigint() - Atomics.load(this.shared, 1);
    return Atomics.load(this.shared, 2) === 0n && age < BigInt(TTL_MS - SAFETY_MS) * 1_000_000n;
  }

  /** Announces this process as a living member of a reader's group. */
  async join(reader: string): Promise<void> {
    this.readers.add(reader);
    this.startWorker();
    await this.insert([reader]);
  }

  /**
   * After the lease has run out: becomes a new member under a new id. What the old id owned is lost.
   * Several callers share one attempt.
   */
  rejoin(): Promise<void> {
    this.rejoining ??= (async () => {
      this.id = randomUUID();
      await this.insert([...this.readers]);
      Atomics.store(this.shared, 2, 0n);
      this.worker?.postMessage({ instance: this.id });
    })().finally(() => {
      this.rejoining = undefined;
    });
    return this.rejoining;
  }

  /** Leaves at once, so that others need not wait for the lease to run out. */
  async stop(): Promise<void> {
    clearInterval(this.heartbeat);
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
    await this.db.enginePool.query('delete from nb.member where instance = $1', [this.id]).catch(() => undefined);
  }

  private async insert(readers: readonly string[]): Promise<void> {
    const started = process.hrtime.bigint();
    await this.db.enginePool.query("delete from nb.member where until < clock_timestamp() - interval '1 minute'");
    await this.db.enginePool.query(
      `insert into nb.member select r, $2, clock_timestamp() + interval '2 s' from unnest($1::text[]) r
       on conflict (reader, instance) do update set until = excluded.until`,
      [readers, this.id],
    );
    Atomics.store(this.shared, 1, started);
  }

  private startWorker(): void {
    if (this.worker) return;
    const signal = () => Atomics.store(this.shared, 0, process.hrtime.bigint());
    signal();
    this.heartbeat = setInterval(signal, RENEW_EVERY_MS / 2).unref();
    const file = import.meta.url.endsWith('.ts') ? './lease-worker.ts' : './lease-worker.js';
    this.worker = new Worker(new URL(file, import.meta.url), {
      workerData: { url: this.db.url, shared: this.shared, renewEveryMs: RENEW_EVERY_MS, stallMaxMs: STALL_MAX_MS },
    });
    this.worker.postMessage({ instance: this.id });
    this.worker.on('error', (error) => {
      this.db.warn(`The lease worker failed and is started again: ${error.message}`);
      this.worker = undefined;
      this.startWorker();
    });
  }
}

/** One lease per database of this process, shared by all contexts that live there. */
export class Leases {
  private readonly byUrl = new Map<string, Lease>();

  of(db: ContextDatabase): Lease {
    let lease = this.byUrl.get(db.url);
    if (!lease) this.byUrl.set(db.url, (lease = new Lease(db)));
    return lease;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.byUrl.values()].map((lease) => lease.stop()));
  }
}
