import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connect as connectNats } from '@nats-io/transport-node';
import pg from 'pg';
import { freePort, spawnProgram, stopChild } from '../../scripts/children.ts';
import { startEmbeddedPostgres } from '../../scripts/postgres.ts';
import { natsProgram } from '../../scripts/services.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** A server of the run's own, which the application reaches through a proxy. */
export interface Server {
  /** For the application. */
  readonly url: string;
  /** For whoever judges: past the proxy. */
  readonly directUrl: string;
  readonly proxy: TcpProxy;
  start(): Promise<void>;
  /** @param how `orderly` finishes what is in progress; `immediate` is the end of the power */
  stop(how: 'orderly' | 'immediate'): Promise<void>;
  close(): Promise<void>;
}

const READY_WITHIN = 30_000;

/** A Postgres with its data in `folder`; fsync is on. */
export async function startPostgres(folder: string): Promise<Server> {
  const port = await freePort();
  const start = () => startEmbeddedPostgres(folder, port);
  let running = await start();
  const proxy = await TcpProxy.start(port);
  const directUrl = running.url;
  return {
    directUrl,
    proxy,
    url: throughProxy(directUrl, proxy),
    start: async () => {
      running = await start();
      await until('Postgres answers', () => answers(directUrl));
    },
    stop: async (how) => {
      if (how === 'immediate') process.kill(Number(readFileSync(path.join(running.dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGQUIT');
      await running.stop();
    },
    close: async () => {
      await proxy.stop();
      await running.stop();
    },
  };
}

/** A NATS with JetStream on files in `folder`. */
export async function startNats(folder: string): Promise<Server> {
  const program = natsProgram();
  if (!program) throw new Error('nats-server is missing. Run `npm test` once, which installs it where it can, or install the package of your system.');
  const port = await freePort();
  const directUrl = `nats://127.0.0.1:${port}`;
  const start = async () => {
    const child = spawnProgram(program, ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder]);
    await until('NATS answers', async () => (await connectNats({ servers: directUrl, timeout: 1_000, reconnect: false })).close().then(() => true));
    return child;
  };
  let running = await start();
  const proxy = await TcpProxy.start(port);
  const end = async (how: 'orderly' | 'immediate') => {
    if (how === 'immediate') running.kill('SIGKILL');
    await stopChild(running, 10_000);
  };
  return {
    directUrl,
    proxy,
    url: throughProxy(directUrl, proxy),
    start: async () => void (running = await start()),
    stop: end,
    close: async () => {
      await proxy.stop();
      await end('orderly');
    },
  };
}

function throughProxy(url: string, proxy: TcpProxy): string {
  const address = new URL(url);
  address.port = String(proxy.port);
  return address.href;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  await client.connect();
  await client.end();
  return true;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const patience = performance.now() + READY_WITHIN;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > patience) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
