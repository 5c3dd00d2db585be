import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

/**
 * Renews the leases of one process in one database, on a thread of its own: a handler that blocks the event loop for
 * a moment does not cost the process its lanes. It stops renewing when the main thread has shown no sign of life for
 * longer than any handler may block. Runs as TypeScript directly in tests, so it uses erasable syntax only.
 */
interface LeaseWorkerData {
  url: string;
  /** [main thread's last sign of life, start of the last successful renewal, 1 when the lease has expired], in hrtime ns */
  shared: BigInt64Array;
  renewEveryMs: number;
  stallMaxMs: number;
}

const { url, shared, renewEveryMs, stallMaxMs } = workerData as LeaseWorkerData;
let instance: string | undefined;
let client: pg.Client | undefined;

parentPort!.on('message', (message: { instance: string }) => {
  instance = message.instance;
});

async function connected(): Promise<pg.Client> {
  if (client) return client;
  const fresh = new pg.Client({ connectionString: url, application_name: 'nestbox lease', connectionTimeoutMillis: 2_000, query_timeout: 2_000, keepAlive: true });
  fresh.on('error', () => {
    if (client === fresh) client = undefined;
  });
  await fresh.connect();
  client = fresh;
  return fresh;
}

async function renew(): Promise<void> {
  const started = process.hrtime.bigint();
  const mine = instance;
  if (!mine || started - Atomics.load(shared, 0) > BigInt(stallMaxMs) * 1_000_000n) return;
  try {
    const connection = await connected();
    const result = await connection.query(
      "update nb.member set until = clock_timestamp() + interval '2 s' where instance = $1 and until > clock_timestamp()",
      [mine],
    );
    if (mine !== instance) return;
    if (result.rowCount) Atomics.store(shared, 1, started);
    else Atomics.store(shared, 2, 1n);
  } catch {
    // Unreachable: the lease runs out by itself. A new connection is tried at the next turn.
    const broken = client;
    client = undefined;
    await broken?.end().catch(() => undefined);
  }
}

async function run(): Promise<void> {
  for (;;) {
    await renew();
    await new Promise((resolve) => setTimeout(resolve, renewEveryMs));
  }
}

void run();
