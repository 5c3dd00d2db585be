import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findProgram, installFromApt } from './apt.ts';
import { freePort, hasEnded, spawnProgram, stopChild } from './children.ts';
import { startEmbeddedPostgres } from './postgres.ts';

/** A service that tests and tools may use. */
export interface Service {
  readonly url: string;
  /** For people: where it came from. */
  readonly origin: string;
  /** Ends it if it was started for us; one that was there already stays. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 20_000;
const HOW_TO_GET_NATS = 'Install nats-server (https://docs.nats.io: a package of your system, or one binary), start Docker, or set NATS_URL to a server with JetStream.';

/** The Postgres that the environment names, else one that answers on its default port, else an embedded one. */
export async function ensurePostgres(): Promise<Service> {
  const named = process.env['TEST_POSTGRES_URL'] || process.env['DATABASE_URL'];
  if (named) {
    const problem = await postgresProblem(named);
    if (problem) throw new Error(`The Postgres that TEST_POSTGRES_URL or DATABASE_URL names cannot be used: ${problem}. Start it and let its user create databases, or unset the variable to get an embedded one.`);
    return { url: named, origin: 'named by the environment', stop: async () => {} };
  }
  const usual = 'postgres://postgres@127.0.0.1:5432/postgres';
  if (!(await postgresProblem(usual))) return { url: usual, origin: 'answering on port 5432', stop: async () => {} };
  const dataDir = mkdtempSync(join(tmpdir(), 'nestbox-postgres-'));
  const server = await startEmbeddedPostgres(join(dataDir, 'data'));
  const stop = async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
    rmSync(server.dataDir, { recursive: true, force: true });
  };
  return { url: server.url, origin: 'embedded, started for this run', stop };
}

/** The NATS with JetStream that the environment names, else one on its default port, else one started for us. */
export async function ensureNats(): Promise<Service> {
  const named = process.env['TEST_NATS_URL'] || process.env['NATS_URL'];
  if (named) {
    if (!(await natsAnswers(named))) throw new Error('The NATS that TEST_NATS_URL or NATS_URL names does not answer with JetStream. Start it with `nats-server -js`, or unset the variable.');
    return { url: named, origin: 'named by the environment', stop: async () => {} };
  }
  const usual = 'nats://127.0.0.1:4222';
  if (await natsAnswers(usual)) return { url: usual, origin: 'answering on port 4222', stop: async () => {} };
  return startNats();
}

/** A NATS of our own: from the PATH, from Docker, or, as root on Debian, from apt. */
export async function startNats(): Promise<Service> {
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  if (!natsProgram() && !dockerEngine()) installFromApt('nats-server', HOW_TO_GET_NATS);
  const program = natsProgram();
  const store = mkdtempSync(join(tmpdir(), 'nestbox-nats-'));
  const child = program
    ? spawnProgram(program, ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', store])
    : spawnProgram('docker', ['run', '--rm', '-p', `127.0.0.1:${port}:4222`, 'nats:2.11.4-alpine', '-js']);
  const stop = async () => {
    await stopChild(child, 5_000);
    rmSync(store, { recursive: true, force: true });
  };
  const patience = Date.now() + READY_WITHIN_MS;
  while (!(await natsAnswers(url))) {
    if (hasEnded(child) || Date.now() > patience) {
      await stop();
      throw new Error(`nats-server did not start on port ${port}. Run \`nats-server -js\` by hand to see why.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, origin: 'started for this run', stop };
}

/** Why a Postgres cannot be used for tests; undefined when it can. */
async function postgresProblem(url: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('select rolcreatedb or rolsuper as creates, pg_is_in_recovery() as standby from pg_roles where rolname = current_user');
    if (!rows[0].creates) return 'its user may not create databases';
    return rows[0].standby ? 'it is a standby' : undefined;
  } catch (error) {
    return (error as Error).message || (error as { code?: string }).code || 'no answer';
  } finally {
    await client.end().catch(() => {});
  }
}

/** True when a NATS server with JetStream greets us at the address. */
function natsAnswers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url.split(',')[0]!);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 4222) });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    let greeting = '';
    socket.setTimeout(2_000, () => answer(false));
    socket.once('error', () => answer(false));
    socket.on('data', (data) => {
      greeting += data.toString();
      if (greeting.includes('\r\n')) answer(/^INFO .*"jetstream":true/.test(greeting));
    });
  });
}

/** Where nats-server is; empty when it is not installed. */
export function natsProgram(): string {
  return findProgram('nats-server') ?? '';
}

function dockerEngine(): boolean {
  return spawnSync('docker', ['info'], { timeout: 5_000 }).status === 0;
}
