import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of its own for one test file. */
export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Settings of a process that works on it: with few connections, because a server has a hundred for all tests. */
  readonly env: { readonly DATABASE_URL: string; readonly DATABASE_POOL_SIZE: string; readonly DATABASE_ENGINE_POOL_SIZE: string };
  /** Drops the database. @throws when connections of the test are still open: they would be a leak */
  drop(): Promise<void>;
}

/** How long connections that are just closing may take before they count as leaked, in ms. */
const CLOSING_TIME = 3_000;

/**
 * Creates an empty database on the Postgres that `TEST_POSTGRES_URL` names. `npm test` sets the variable.
 * @throws when the variable is missing
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env['TEST_POSTGRES_URL'];
  if (!server) throw new Error('TEST_POSTGRES_URL is not set. Run the tests with `npm test`, which finds or starts a Postgres and sets it.');
  const name = `nbtest_${randomBytes(6).toString('hex')}`;
  await withAdmin(server, (client) => client.query(`create database ${name}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  const env = { DATABASE_URL: url.href, DATABASE_POOL_SIZE: '3', DATABASE_ENGINE_POOL_SIZE: '3' };
  return { name, url: url.href, env, drop: () => dropDatabase(server, name) };
}

async function dropDatabase(server: string, name: string): Promise<void> {
  await withAdmin(server, async (client) => {
    const patience = performance.now() + CLOSING_TIME;
    let leaked = await connectionsTo(client, name);
    while (leaked.length > 0 && performance.now() < patience) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      leaked = await connectionsTo(client, name);
    }
    await client.query(`drop database ${name} with (force)`);
    if (leaked.length > 0) throw new Error(`The test left ${leaked.length} database connections open: ${leaked.join('; ')}. Close the application or the database in afterAll.`);
  });
}

async function connectionsTo(client: pg.Client, name: string): Promise<string[]> {
  const { rows } = await client.query('select application_name, state, query from pg_stat_activity where datname = $1', [name]);
  return rows.map((row) => `${row.application_name} (${row.state}): ${String(row.query).slice(0, 80)}`);
}

async function withAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'nestbox test' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
