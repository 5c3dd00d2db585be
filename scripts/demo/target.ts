import { randomUUID } from 'node:crypto';
import path from 'node:path';
import pg from 'pg';
import { AppProcess } from '../app-process.ts';
import { build } from '../build.ts';
import { withOwnSecrets } from '../own-secrets.ts';
import { startEmbeddedPostgres } from '../postgres.ts';
import { loadDotEnv, projectRoot } from '../project.ts';
import { ensureNats } from '../services.ts';
import { type SplitOptions, startSplit } from '../split.ts';
import type { DemoOptions, Mode } from './options.ts';

/** The system that the replay is about. */
export interface Target {
  readonly url: string;
  /** Ends one of several inventory processes without warning, and says which; only in split mode. */
  readonly killInventory?: () => string;
  /** Ends what was started for the demo. */
  stop(): Promise<void>;
}

/** How much of the output of the processes is kept, to be shown when something goes wrong. */
const KEPT_LINES = 40;

/**
 * The system that runs at `url`, or one of its own in the wanted mode.
 * @param log gets the last lines of what the processes print
 * @param signal ends the start half-way
 * @throws Error when it does not start; then nothing is left running
 */
export async function openTarget({ mode, url }: DemoOptions, log: string[], signal: AbortSignal): Promise<Target> {
  if (url !== undefined) return { url, stop: async () => {} };
  loadDotEnv();
  if (!build()) throw new Error('The sources do not compile.');
  const stack: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stack.splice(0).toReversed()) await end();
  };
  try {
    const env = await environmentOf(mode, stack);
    const write = (line: string) => {
      log.push(line.trimEnd());
      log.splice(0, log.length - KEPT_LINES);
    };
    signal.throwIfAborted();
    const started = mode === 'split' ? await startSplitMode({ env, log: write, signal }, stack) : await startSingleMode(mode, { env, log: write, signal }, stack);
    signal.throwIfAborted();
    return { ...started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The settings of the processes. With `DATABASE_URL` those of the environment; else a database for each mode in the
 * embedded Postgres, so that a mode can be tried after another, and a second run finds what the first one has left.
 */
async function environmentOf(mode: Mode, stack: (() => Promise<unknown>)[]): Promise<NodeJS.ProcessEnv> {
  const env = withOwnSecrets({ LOG_LEVEL: 'warn', CHECK_RESPONSES: 'false', ...process.env });
  delete env['SERVICE'];
  if (!env['DATABASE_URL']) {
    const server = await startEmbeddedPostgres(path.join(projectRoot, '.data', 'postgres'));
    stack.push(() => server.stop());
    const database = await ensureDatabase(server.url, `nestbox_demo_${mode.replace('-', '_')}`);
    env['DATABASE_URL'] = database.url;
    // A stream belongs to the database whose events it has: another database gets other streams.
    env['NATS_NAMESPACE'] ||= `demo_${database.identity}`;
  }
  if (mode !== 'in-process') {
    const nats = await ensureNats();
    stack.push(() => nats.stop());
    env['NATS_URL'] = nats.url;
  }
  return env;
}

/** Creates the database if there is none, with an identity that no other database has. */
async function ensureDatabase(server: string, name: string): Promise<{ url: string; identity: string }> {
  const url = new URL(server);
  await withClient(url.href, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${name}`);
  });
  url.pathname = `/${name}`;
  const identity = await withClient(url.href, async (client) => {
    await client.query('create table if not exists demo_identity (id text primary key)');
    await client.query('insert into demo_identity select $1 where not exists (select from demo_identity)', [randomUUID().slice(0, 8)]);
    const { rows } = await client.query<{ id: string }>('select id from demo_identity');
    return rows[0]!.id;
  });
  return { url: url.href, identity };
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function startSingleMode(mode: Mode, { env, log, signal }: Required<SplitOptions>, stack: (() => Promise<unknown>)[]) {
  const service = mode === 'nats' ? 'all-nats' : 'all';
  const app = new AppProcess({
    service,
    instance: 1,
    env: { ...env, SERVICE: service, PORT: '0', HOST: '127.0.0.1' },
    healthPath: '/health/ready',
    restart: false,
    log: (_, line) => log(line),
  });
  stack.push(() => app.stop());
  signal.addEventListener('abort', () => void app.stop(), { once: true });
  await app.start();
  return { url: app.url! };
}

async function startSplitMode({ env, log, signal }: Required<SplitOptions>, stack: (() => Promise<unknown>)[]) {
  const split = await startSplit({ env: { ...env, PORT: '0' }, log, signal });
  stack.push(() => split.stop());
  const killInventory = () => {
    const victim = split.processes.find(({ service }) => service === 'inventory');
    if (victim?.pid === undefined) throw new Error('There is no inventory process to kill.');
    const name = `${victim.service} ${victim.instance} (pid ${victim.pid})`;
    victim.kill('SIGKILL');
    return name;
  };
  return { url: split.gatewayUrl, killInventory };
}
