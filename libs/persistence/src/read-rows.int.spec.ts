import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { readRows } from './read-rows.js';

const EVERYTHING = `select 1 as int, 9007199254740993::bigint as bigint, 'é' as text, null::text as nothing, true as bool, 1.5::float8 as float,
  '2026-01-02 03:04:05.678+00'::timestamptz as time, '{"a":[1]}'::jsonb as json, array['x','y'] as texts, '\\x00ff'::bytea as bytes, $1::int + 1 as parameter`;

describe('reading by name', () => {
  let database: TestDatabase;
  let client: pg.PoolClient;
  let pool: pg.Pool;
  let descriptions = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 1, pipeline: true } as pg.PoolConfig);
    client = await pool.connect();
    (client as unknown as { connection: NodeJS.EventEmitter }).connection.on('rowDescription', () => descriptions++);
  });
  afterAll(async () => {
    client.release();
    await pool.end();
    await database.drop();
  });

  const read = (name: string, text: string, ...values: unknown[]) => readRows(client, { name, text, values });

  it('gives the rows that pg gives, and asks once what they are made of', async () => {
    const { rows } = await client.query(EVERYTHING, [41]);
    const before = descriptions;
    for (let i = 0; i < 3; i++) expect(await read('everything', EVERYTHING, 41)).toEqual(rows);
    expect(descriptions - before).toBe(1);
  });

  it('gives no rows, and many', async () => {
    expect(await read('none', 'select 1 where false')).toEqual([]);
    expect(await read('many', 'select n from generate_series(1, $1) n', 1_000)).toHaveLength(1_000);
    expect(await read('none', 'select 1 where false')).toEqual([]);
  });

  it('may be under way many times at once, of one statement and of others', async () => {
    const reads = Array.from({ length: 20 }, (_, index) => read(`sum_${index % 3}`, `select $1::int + ${index % 3} as sum`, index));
    expect((await Promise.all(reads)).map(([row]) => row!['sum'])).toEqual(Array.from({ length: 20 }, (_, index) => index + (index % 3)));
  });

  it('fails as the statement does, from where it was asked, and leaves the connection to others', async () => {
    const failure = await read('zero', 'select 1 / $1::int as quotient', 0).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: '22012' });
    expect((failure as Error).stack).toContain('readRows');
    expect(await read('zero', 'select 1 / $1::int as quotient', 1)).toEqual([{ quotient: 1 }]);
    await expect(read('missing', 'select * from nowhere')).rejects.toMatchObject({ code: '42P01' });
    await client.query('create table nowhere (id int); insert into nowhere values (7)');
    expect(await read('missing', 'select * from nowhere')).toEqual([{ id: 7 }]);
  });

  it('fails when what a row is made of has changed since', async () => {
    await client.query('create table changing (id int); insert into changing values (7)');
    expect(await read('changing', 'select * from changing')).toEqual([{ id: 7 }]);
    await client.query('alter table changing add note text');
    await expect(read('changing', 'select * from changing')).rejects.toMatchObject({ code: '0A000' });
  });

  it('fails with a value that cannot be read, or cannot be sent, and leaves the connection to others', async () => {
    const readJson = pg.types.getTypeParser(3802);
    pg.types.setTypeParser(3802, () => {
      throw new Error('not today');
    });
    try {
      await expect(read('unreadable', `select '{}'::jsonb as json`)).rejects.toThrow('not today');
    } finally {
      pg.types.setTypeParser(3802, readJson);
    }
    const loop: unknown[] = [{}];
    (loop[0] as { self: unknown }).self = loop[0];
    await expect(read('unsendable', 'select $1::jsonb', loop[0])).rejects.toThrow(/circular/);
    expect(await read('fine', 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});
