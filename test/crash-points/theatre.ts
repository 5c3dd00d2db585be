import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { instrumentEngine } from './instrument.ts';

/** What the stages of one run have in common. */
export interface Theatre {
  /** Begins the names of its databases and streams. */
  readonly name: string;
  readonly postgresUrl: string;
  readonly natsUrl: string;
  /** The instrumented copy of the engine. */
  readonly engine: string;
  /** Journals and logs go there. */
  readonly folder: string;
}

/** @throws when the engine is not built */
export function openTheatre(postgresUrl: string, natsUrl: string): Theatre {
  const folder = mkdtempSync(path.join(tmpdir(), 'nestbox-crash-'));
  return { name: `nbcrash_${randomBytes(4).toString('hex')}`, postgresUrl, natsUrl, folder, engine: instrumentEngine(path.join(folder, 'engine')) };
}

/** Drops whatever it has left in the servers; the logs stay when there is something to read in them. */
export async function closeTheatre({ name, postgresUrl, natsUrl, folder }: Theatre, keepLogs: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl, application_name: 'crash points' });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>('select datname from pg_database where starts_with(datname, $1)', [name]);
  for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  await client.end();
  const connection = await connect({ servers: natsUrl });
  const { streams } = await jetstreamManager(connection);
  const found: string[] = [];
  for await (const { config } of streams.list()) if (config.name.startsWith(name.toUpperCase())) found.push(config.name);
  for (const stream of found) await streams.delete(stream);
  await connection.close();
  if (!keepLogs) rmSync(folder, { recursive: true, force: true });
}
