import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import type { PoolClient } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Leases } from './leases.js';
import { messagingTables } from './messaging-tables.js';
import { Sequencer } from './sequencer.js';
import { sequencerSql } from './sequencer-sql.js';
import { LocalWakeUps } from './wake-ups.js';

describe('the sequencer', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let leases: Leases;
  let wakeUps: LocalWakeUps;
  let sequencer: Sequencer;
  const held: PoolClient[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 8 });
    await db.open();
    await db.migrate();
  });

  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    leases = new Leases();
    wakeUps = new LocalWakeUps();
    sequencer = new Sequencer(db, leases.of(db), wakeUps, new Logger('test'));
    await sequencer.start();
  });

  afterEach(async () => {
    await sequencer.stop();
    await leases.stop();
    for (const client of held.splice(0)) client.release(true);
  });

  const insert = (key: string, version: number) =>
    `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     values (gen_random_uuid(), 'default', 3, 'shop.thing', '${key}', ${version}, 'shop.happened', 1, '{}', '{}')`;
  const transaction = async () => {
    const client = await db.pool.connect();
    held.push(client);
    await client.query('begin');
    return client;
  };
  const numbered = async (key: string) =>
    (await db.query<{ version: string }>("select o.aggregate_version as version from shop.log l join shop.outbox o using (position) where o.aggregate_id = $1 order by l.n", [key])).rows.map((row) => Number(row.version));
  const poke = () => wakeUps.poke('commit.shop');

  it('numbers without holes, and links every event to the one before it in its lane', async () => {
    for (let version = 1; version <= 5; version++) await db.query(insert('a', version));
    poke();
    await expect.poll(() => numbered('a')).toEqual([1, 2, 3, 4, 5]);
    const { rows } = await db.query<{ n: string; prev: string }>('select n, prev from shop.log where lane = 3 order by n');
    rows.forEach((row, index) => expect(Number(row.prev)).toBe(index === 0 ? 0 : Number(rows[index - 1]!.n)));
  });

  it('never waits for a transaction that is still open, and does not miss it when it commits', async () => {
    const slow = await transaction();
    await slow.query(insert('slow', 1));
    await db.query(insert('quick', 1));
    poke();
    await expect.poll(() => numbered('quick')).toEqual([1]);
    expect(await numbered('slow')).toEqual([]);
    await slow.query('commit');
    poke();
    await expect.poll(() => numbered('slow')).toEqual([1]);
  });

  it('keeps the order of an aggregate whatever the order of the transaction ids', async () => {
    const early = await transaction();
    await early.query('select pg_current_xact_id()');
    await db.query(insert('order', 1));
    await early.query(insert('order', 2));
    await early.query('commit');
    poke();
    await expect.poll(() => numbered('order')).toEqual([1, 2]);
  });

  it('numbers nothing of a transaction or savepoint that was rolled back', async () => {
    const client = await transaction();
    await client.query(insert('kept', 1));
    await client.query('savepoint s');
    await client.query(insert('undone', 1));
    await client.query('rollback to s');
    await client.query('commit');
    const failing = await transaction();
    await failing.query(insert('undone', 2));
    await failing.query('rollback');
    poke();
    await expect.poll(() => numbered('kept')).toEqual([1]);
    expect(await numbered('undone')).toEqual([]);
  });

  it('takes 500 events of 20 racing writers, each once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let version = 1; version <= 25; version++) {
          await db.query(insert(`racer${writer}`, version));
          poke();
        }
      }),
    );
    await expect.poll(async () => (await db.query("select count(*)::int count from shop.log join shop.outbox using (position) where aggregate_id like 'racer%'")).rows[0]!['count']).toBe(500);
    for (let writer = 0; writer < 20; writer++) expect(await numbered(`racer${writer}`)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    const { rows } = await db.query('select count(*)::int count, max(n)::int max from shop.log');
    expect(rows[0]!['count']).toBe(rows[0]!['max']);
  });

  it('lets only one of two that believe to own the same generation number anything', async () => {
    await sequencer.stop();
    const { rows } = await db.query<{ gen: string; xmax: string }>('select gen, pg_snapshot_xmax(snap)::text xmax from shop.sequencer order by gen desc limit 1');
    await db.query(insert('two', 1));
    const advance = () => db.query(sequencerSql('shop').advance, [rows[0]!.gen, '00000000-0000-7000-8000-000000000000', rows[0]!.xmax, []]);
    const results = await Promise.allSettled([advance(), advance()]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((results.find((result) => result.status === 'rejected') as PromiseRejectedResult).reason).toMatchObject({ code: '23505' });
    expect(await numbered('two')).toEqual([1]);
  });

  it('is taken over at once after a graceful stop', async () => {
    await sequencer.stop();
    await db.query(insert('next', 1));
    const successor = new Sequencer(db, leases.of(db), wakeUps, new Logger('test'));
    await successor.start();
    await expect.poll(() => numbered('next')).toEqual([1]);
    await successor.stop();
  });

  it('numbers what a restored database has without a number, each event once', async () => {
    await sequencer.stop();
    await db.query(insert('restored', 1));
    // The old server had come further with its transaction ids than the new one.
    await db.query("update shop.outbox set xid = '99999999999'");
    await db.query('update shop.sequencer set system_id = 1, snap = pg_current_snapshot()');
    const after = new Sequencer(db, leases.of(db), wakeUps, new Logger('test'));
    await after.start();
    await expect.poll(() => numbered('restored')).toEqual([1]);
    await db.query(insert('restored', 2));
    poke();
    await expect.poll(() => numbered('restored')).toEqual([1, 2]);
    await after.stop();
  });
});
