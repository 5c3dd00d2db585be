import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { PreparedStatements } from './prepared-statements.js';
import { writeBatch } from './write-batch.js';

const KEY_DATA = Buffer.from([0x4b, 0, 0, 0, 12]);

describe('prepared statements', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('are parsed once per connection, however often they are sent', async () => {
    expect(await preparedAfterTwoRuns(database.url)).toEqual([{ name: 'nestbox_0', statement: 'select $1::int + 1', plans: 2 }]);
  });

  it('are not used behind a pooler, which may run the next statement on another connection', async () => {
    const pooler = await startPooler(database.url);
    const url = new URL(database.url);
    url.host = `127.0.0.1:${(pooler.address() as AddressInfo).port}`;
    expect(await preparedAfterTwoRuns(url.href)).toEqual([]);
    await new Promise((resolve) => pooler.close(resolve));
  });

  it('stop getting names when there are very many, so that no text made per request fills the server', async () => {
    const prepared = await inspected(database.url);
    const names = Array.from({ length: 600 }, (_, index) => prepared.named({ text: `select ${index}`, values: [] })).map(({ name }) => name);
    expect(names.filter((name) => name !== undefined)).toHaveLength(500);
    expect(prepared.named({ text: 'select 0', values: [] }).name).toBe(names[0]);
  });
});

async function preparedAfterTwoRuns(url: string) {
  return onPool(url, async (pool) => {
    const client = await pool.connect();
    const prepared = new PreparedStatements();
    await prepared.inspect(client);
    for (const value of [1, 2]) await writeBatch(client, [prepared.named({ text: 'select $1::int + 1', values: [value] })]);
    const { rows } = await client.query("select name, statement, (generic_plans + custom_plans)::int plans from pg_prepared_statements where name <> ''");
    client.release();
    return rows;
  });
}

async function inspected(url: string): Promise<PreparedStatements> {
  return onPool(url, async (pool) => {
    const client = await pool.connect();
    const prepared = new PreparedStatements();
    await prepared.inspect(client);
    client.release();
    return prepared;
  });
}

async function onPool<T>(url: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** Passes everything on, but shows a process id of its own, as poolers do: theirs is what a client has to cancel. */
function startPooler(target: string): Promise<Server> {
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port || 5432) });
    client.pipe(upstream);
    upstream.on('data', (data: Buffer) => {
      const at = data.indexOf(KEY_DATA);
      if (at >= 0) data.writeInt32BE(1, at + KEY_DATA.length);
      client.write(data);
    });
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
