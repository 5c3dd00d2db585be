import os from 'node:os';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { UsageError } from '@nestbox/kernel';

/** What the numbers were measured on. */
export interface Machine {
  readonly cores: string;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly nats: string;
}

/** Settings without which Postgres answers before anything is safe; numbers with them off would be worth nothing. */
const NEEDED = ['fsync', 'synchronous_commit', 'full_page_writes'];

/**
 * Looks at what the benchmarks run on.
 * @throws UsageError when Postgres does not keep what it has committed
 */
export async function inspectMachine(postgresUrl: string, natsUrl: string): Promise<Machine> {
  const cpus = os.cpus();
  return {
    cores: `${os.availableParallelism()} (${cpus[0]?.model.trim() ?? 'unknown'})`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    postgres: await inspectPostgres(postgresUrl),
    nats: await inspectNats(natsUrl),
  };
}

async function inspectPostgres(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const name of NEEDED) await requireOn(client, name, 'its commits are not safe, so its speed means nothing');
    return `${await shown(client, 'server_version')}, fsync on, shared_buffers ${await shown(client, 'shared_buffers')}, autovacuum ${await shown(client, 'autovacuum')}`;
  } finally {
    await client.end();
  }
}

/** @throws UsageError when a setting of the server is not on, which means `consequence` */
export async function requireOn(client: pg.Client, name: string, consequence: string): Promise<void> {
  const found = await shown(client, name);
  if (found !== 'on') throw new UsageError(`Postgres runs with ${name} = ${found}: ${consequence}.`, `set ${name} = on, or let TEST_POSTGRES_URL name another server.`);
}

async function shown(client: pg.Client, name: string): Promise<string> {
  return (await client.query(`show ${name}`)).rows[0][name] as string;
}

async function inspectNats(url: string): Promise<string> {
  const client = await connect({ servers: new URL(url).host });
  const version = client.info?.version ?? 'unknown';
  await client.close();
  return `${version}, streams in files`;
}
