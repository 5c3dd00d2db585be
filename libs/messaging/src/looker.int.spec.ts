import 'reflect-metadata';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Looker, parseSnapshot } from './looker.js';
import { messagingTables } from './messaging-tables.js';
import { sequencerSql } from './sequencer-sql.js';

describe('looks for events without a number', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let looker: Looker;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 4 });
    await db.open();
    await db.migrate();
    looker = await Looker.open(db, sequencerSql('shop').look);
  });

  afterAll(async () => {
    looker?.close();
    await db?.close();
    await database?.drop();
  });

  const now = async () => parseSnapshot((await db.query<{ snap: string }>('select pg_current_snapshot()::text snap')).rows[0]!.snap);
  const store = (events: number) =>
    db.query(`insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
      select gen_random_uuid(), 'default', 3, 'shop.thing', 'a', v, 'shop.happened', 1, '{}', '{}' from generate_series(1, ${events}) v`);
  /** Scans of the outbox, by the server's own count. */
  const scans = async () => {
    const { rows } = await db.query<{ whole: number; indexed: number }>("select sum(seq_scan)::int whole, sum(idx_scan)::int indexed from pg_stat_user_tables where relname like 'outbox%'");
    return rows[0]!;
  };

  it('find what was committed since a snapshot, and what was running then', async () => {
    const running = await db.connect();
    await running.query('begin');
    await running.query("insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers) values (gen_random_uuid(), 'default', 3, 'shop.thing', 'late', 1, 'shop.happened', 1, '{}', '{}')");
    const before = await now();
    await store(2);
    expect((await looker.look(before)).filter(({ position }) => position !== null)).toHaveLength(2);
    await running.query('commit');
    running.release();
    expect((await looker.look(before)).filter(({ position }) => position !== null)).toHaveLength(3);
    expect((await looker.look(await now())).filter(({ position }) => position !== null)).toEqual([]);
  });

  it('never read the whole table, although their plan was made when it was empty', async () => {
    await store(5_000);
    const before = await scans();
    const snapshot = await now();
    // A session reports its scans when it has work, at most once a second.
    const looksAreCounted = async () => {
      await looker.look(snapshot);
      return (await scans()).indexed > before.indexed;
    };
    await expect.poll(looksAreCounted).toBe(true);
    expect((await scans()).whole).toBe(before.whole);
  });
});
