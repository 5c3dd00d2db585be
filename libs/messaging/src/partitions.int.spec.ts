import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Leases } from './leases.js';
import { messagingTables } from './messaging-tables.js';
import { dropPartition, ensurePartitions, readPartitions } from './partitions.js';
import { Sequencer } from './sequencer.js';
import { LocalWakeUps } from './wake-ups.js';

describe('partitions of the outbox', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let writer: PoolClient;
  const logger = new Logger('test');

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop', 1_000)], poolSize: 4 });
    await db.open();
    await db.migrate();
    writer = await db.pool.connect();
  });

  afterAll(async () => {
    writer?.release(true);
    await db?.close();
    await database?.drop();
  });

  const insert = (count: number) =>
    `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     select gen_random_uuid(), 'default', 3, 'shop.thing', 'a', v, 'shop.happened', 1, '{}', '{}' from generate_series(1, ${count}) v`;
  const outbox = async () => (await readPartitions(db)).filter(({ table }) => table === 'outbox');
  const oldest = async () => (await outbox())[0]!;
  /** Inserts while `ddl` runs again and again; a writer that had to wait for it would fail with its own, short patience. */
  const writeDuring = async (ddl: () => Promise<unknown>) => {
    const state = { going: true };
    const work = ddl().finally(() => (state.going = false));
    let written = 0;
    do {
      const client = await db.pool.connect();
      await client.query("begin; set local lock_timeout = '20ms'");
      await client.query(insert(1));
      await client.query('commit');
      client.release();
      written += 1;
      // A quick machine would otherwise write past the partitions that the test counts.
      await sleep(5);
    } while (state.going);
    await work;
    return written;
  };

  it('are made ahead of the newest row, each as large as the one before it', async () => {
    await db.query(insert(2_500));
    await ensurePartitions(db, logger);
    expect((await outbox()).map(({ from, to, state }) => [from, to, state])).toEqual([0, 1_000, 2_000, 3_000, 4_000].map((from) => [from, from + 1_000, 'attached']));
  });

  it('are made and dropped while a transaction that has written stays open, and nobody else waits', async () => {
    await writer.query('begin');
    await writer.query(insert(1_000));
    expect(await writeDuring(() => ensurePartitions(db, logger))).toBeGreaterThan(0);
    expect((await outbox()).at(-1)!.to).toBe(6_000);
    const dropped: boolean[] = [];
    expect(await writeDuring(async () => dropped.push(await dropPartition(db, await oldest())))).toBeGreaterThan(0);
    // Not in time for the open transaction, but on its way: nothing new can see it.
    expect(dropped).toEqual([false]);
    expect(await oldest()).toMatchObject({ index: 0, state: 'leaving' });
    expect((await db.query('select 1 from shop.outbox where position < 1000')).rows).toEqual([]);
    await writer.query('commit');
  });

  it('that were on their way when a process died are dropped by the next, while another is made', async () => {
    await db.query(insert(1_000));
    await ensurePartitions(db, logger);
    expect(await dropPartition(db, await oldest())).toBe(true);
    expect(await oldest()).toMatchObject({ index: 1, state: 'attached' });
    await db.query('alter table shop.outbox detach partition shop.outbox_p1');
    expect(await oldest()).toMatchObject({ index: 1, state: 'left' });
    expect(await dropPartition(db, await oldest())).toBe(true);
    expect(await oldest()).toMatchObject({ index: 2, state: 'attached' });
  });

  it('that were made and not attached when a process died are attached by the next', async () => {
    await db.query(insert(1_000));
    const next = (await outbox()).at(-1)!.index + 1;
    await db.query(`create table shop.outbox_p${next} (like shop.outbox including defaults)`);
    expect((await outbox()).at(-1)).toMatchObject({ index: next, state: 'made' });
    await ensurePartitions(db, logger);
    expect((await outbox()).at(-1)).toMatchObject({ index: next, state: 'attached' });
  });

  it('leave out what a leap of the numbers has left out', async () => {
    await db.query("insert into shop.sequencer select gen + 1, owner, snap, 1000000000, heads, system_id, timeline, incarnation from shop.sequencer order by gen desc limit 1");
    await ensurePartitions(db, logger);
    const log = (await readPartitions(db)).filter(({ table }) => table === 'log');
    expect(log.slice(-3).map(({ from }) => from)).toEqual([1_000_000_000, 1_000_001_000, 1_000_002_000]);
  });

  it('are made for a backlog that reaches far beyond those of the log', async () => {
    for (let thousand = 0; thousand < 12; thousand++) {
      await db.query(insert(1_000));
      await ensurePartitions(db, logger);
    }
    const leases = new Leases();
    const sequencer = new Sequencer(db, leases.of(db), new LocalWakeUps(), logger);
    await sequencer.start();
    const unnumbered = async () => (await db.query('select 1 from shop.outbox where position not in (select position from shop.log)')).rows.length;
    await expect.poll(unnumbered).toBe(0);
    await sequencer.stop();
    await leases.stop();
  });
});
