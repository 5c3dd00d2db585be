import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import type { HeartbeatOrder, HeartbeatReport } from './heartbeat.js';

/**
 * The heartbeat of one process in one database, on a thread of its own: a handler that blocks the event loop for a
 * moment does not cost the process its lanes. It stops when the main thread has shown no sign of life for longer than
 * any handler may block. Runs as TypeScript directly in tests, so it uses erasable syntax only.
 */
interface LeaseWorkerData {
  url: string;
  /** [main thread's last sign of life, start of the last successful renewal], in hrtime ns */
  shared: BigInt64Array;
  ttlMs: number;
  beatEveryMs: number;
  stallMaxMs: number;
  /** The statement that only renews. */
  renew: string;
}

/** Longer than this a heartbeat must not take: the next one, which asks nothing, still has to come in time. */
const PATIENCE_MS = 700;
const RECONNECT_EVERY_MS = 200;
/** After questions that were not answered in time none are asked for so long, in ms, and twice as long each time. */
const QUIET_MS = { least: 500, most: 30_000 };

const { url, shared, ttlMs, beatEveryMs, stallMaxMs, renew } = workerData as LeaseWorkerData;
let order: HeartbeatOrder | undefined;
let client: pg.Client | undefined;
/** The questions failed: first of all the lease is renewed. */
let urgent = false;
/** Until when no questions are asked, in hrtime ns: each that hangs, behind somebody's lock, occupies a server process. */
let quietUntil = 0n;
let quietMs = 0;
let asked = false;
let wake: (() => void) | undefined;

parentPort!.on('message', (message: HeartbeatOrder) => {
  order = message;
  asked = true;
  wake?.();
});

async function connected(): Promise<pg.Client> {
  if (client) return client;
  const fresh = new pg.Client({ connectionString: url, application_name: 'nestbox lease', connectionTimeoutMillis: 2_000, query_timeout: PATIENCE_MS, keepAlive: true });
  fresh.on('error', () => {
    if (client === fresh) client = undefined;
  });
  await fresh.connect();
  client = fresh;
  return fresh;
}

async function beat(): Promise<void> {
  const current = order;
  const started = process.hrtime.bigint();
  if (!current || started - Atomics.load(shared, 0) > BigInt(stallMaxMs) * 1_000_000n) return;
  try {
    const report = await ask(current, started);
    if (report.renewed >= current.readers.length) Atomics.store(shared, 1, started);
    parentPort!.postMessage(report);
  } catch {
    // Unreachable: the lease runs out by itself, unless a new connection comes in time.
    disconnect();
  }
}

async function ask(current: HeartbeatOrder, started: bigint): Promise<HeartbeatReport> {
  const { instance, readers, questions } = current;
  const about = { order: { instance, readers, questions }, started };
  const connection = await connected();
  let problem = 'they were not answered in time';
  if (!urgent && started >= quietUntil) {
    try {
      const { rows } = await connection.query(current.sql, [instance, ttlMs, readers]);
      quietMs = 0;
      return { ...about, ...rows[0] };
    } catch (error) {
      urgent = true;
      if (!(error instanceof pg.DatabaseError)) {
        quietMs = Math.min(QUIET_MS.most, Math.max(QUIET_MS.least, 2 * quietMs));
        quietUntil = started + BigInt(quietMs) * 1_000_000n;
        throw error;
      }
      problem = error.message;
    }
  }
  const { rowCount } = await connection.query(renew, [instance, ttlMs]);
  urgent = false;
  return { ...about, renewed: rowCount ?? 0, problem };
}

function disconnect(): void {
  const broken = client;
  client = undefined;
  broken?.end().catch(() => undefined);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      wake = undefined;
      resolve();
    };
    const timer = setTimeout(done, ms);
    wake = done;
  });
}

async function run(): Promise<void> {
  for (;;) {
    asked = false;
    const wasUrgent = urgent;
    await beat();
    if (asked || (urgent && !wasUrgent)) continue;
    await pause(urgent ? RECONNECT_EVERY_MS : beatEveryMs);
  }
}

void run();
