import 'reflect-metadata';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg, { type PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Engine } from './engine.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count } from './fixtures/counters.js';
import { Leases } from './leases.js';
import { Operator } from './operations/operator.js';
import { readPartitions } from './partitions.js';
import { PostgresRelayLog } from './relay-log-postgres.js';
import { LocalWakeUps } from './wake-ups.js';

/** Rows per partition in this test. */
const SIZE = 50;

describe('old events', () => {
  let database: TestDatabase;
  let app: CountingApp;
  const open: PoolClient[] = [];

  const start = () => startCountingApp({ on: database, nats: { OUTBOX_RETENTION_DAYS: 1, READER_ALARM_HOURS: 36 } });

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await start();
    const smaller = (table: string) => `drop table counting.${table}_p0, counting.${table}_p1, counting.${table}_p2;
      create table counting.${table}_p0 partition of counting.${table} for values from (0) to (${SIZE})`;
    await app.counting.query(`${smaller('outbox')}; ${smaller('log')}`);
    // Once its sequencer runs here.
    await vi.waitUntil(async () => drop().then(state));
  });

  afterAll(async () => {
    for (const client of open) client.release(true);
    await app?.stop();
    await database?.drop();
  });

  const engine = () => app.app.get(Engine);
  const drop = () => engine().dropOldEvents();
  const state = () => engine().state().retention.find(({ context }) => context === 'counting')!;
  const count = async (id: string, times: number) => {
    for (let i = 0; i < times; i++) await app.commands.execute(new Count(id));
    await app.settle();
    await drop();
  };
  const grow = (days: number) => app.counting.query(`update counting.outbox set created_at = created_at - interval '${days} days'`);
  const oldest = async () => Object.fromEntries((await readPartitions(app.counting)).toReversed().map(({ table, from }) => [table, from]));
  const sightings = async (counter: string) => (await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => Number(row['value']));
  const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, index) => from + index);

  it('stay while they are young, although everybody has read them', async () => {
    await count('a', 120);
    expect(await oldest()).toEqual({ outbox: 0, log: 0 });
    expect(state()).toEqual({ context: 'counting', overdue: [], keptBy: [] });
  });

  it('go with their partition once they are old, except from the one that is being filled', async () => {
    await grow(2);
    await drop();
    expect(await oldest()).toEqual({ outbox: 100, log: 100 });
    expect(state().keptBy).toEqual([]);
    await count('a', 1);
    expect(await sightings('a')).toEqual(upTo(121));
  });

  it('stay for a reader that has not read them, which raises an alarm until it is forgotten', async () => {
    await app.watching.query(
      `insert into watching.cursor (reader, source, lane, gen, n) select distinct 'watching.retired', 'counting', lane, 0, n from watching.cursor c where reader = 'watching'
         and gen = (select max(gen) from watching.cursor l where (l.reader, l.source, l.lane) = (c.reader, c.source, c.lane))`,
    );
    await count('a', 100);
    await grow(2);
    await drop();
    expect(await oldest()).toEqual({ outbox: 100, log: 100 });
    expect(state()).toMatchObject({ keptBy: ['watching.retired'], overdue: [{ reader: 'watching.retired' }] });
    expect(engine().state().problems.join()).toMatch(/"watching\.retired" has not handled events of "counting" for 48 h\. They are kept.*reader forget/);
    const operator = app.app.get(Operator);
    await expect(operator.forget('watching')).rejects.toMatchObject({ code: 'operations.reader-is-alive' });
    await expect(operator.forget('watching.unknown')).rejects.toMatchObject({ code: 'operations.no-such-reader' });
    expect(await operator.forget('watching.retired')).toBe(32);
    await drop();
    expect(await oldest()).toEqual({ outbox: 200, log: 200 });
    expect(engine().state().problems).toEqual([]);
  });

  it('stay while a transaction is open that may have written among them, and its event is handled when it commits', async () => {
    const writer = await app.counting.pool.connect();
    open.push(writer);
    await writer.query('begin');
    await writer.query(
      `insert into counting.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       values (gen_random_uuid(), 'default', 3, 'counting.counter', 'late', 1, 'counting.counted', 1, '{"id":"late","value":1}', '{}')`,
    );
    await count('a', 100);
    await grow(2);
    await drop();
    expect(await oldest()).toEqual({ outbox: 200, log: 200 });
    expect(state().keptBy).toEqual(['open transaction']);
    await writer.query("update counting.outbox set created_at = created_at - interval '2 days' where aggregate_id = 'late'");
    await writer.query('commit');
    open.pop()!.release();
    await app.settle();
    await drop();
    // Its number came late: that part of the log numbers an event of the next part of the outbox, too.
    expect(await oldest()).toEqual({ outbox: 300, log: 250 });
    expect(await sightings('late')).toEqual([1]);
  });

  it('that are gone are stepped over when a lost stream is filled again', async () => {
    const log = new PostgresRelayLog(app.counting, new Leases().of(app.counting), new LocalWakeUps());
    const { rows } = await app.counting.query<{ id: string }>('select id from counting.log join counting.outbox using (position) order by n');
    const read = (await log.read(0, 20)).map(({ id }) => id);
    expect(read.length).toBeGreaterThan(0);
    expect(read).toEqual(rows.slice(0, read.length).map(({ id }) => id));
  });

  it('that are gone get no second number when the database is restored, and others none that was given before', async () => {
    const { rows } = await app.counting.query<{ n: string }>('select max(n) n from counting.log');
    await app.counting.query('insert into counting.sequencer select gen + 1, null, snap, head, heads, 1, timeline, incarnation from counting.sequencer order by gen desc limit 1');
    await count('a', 5);
    const later = await app.counting.query<{ n: string }>('select n from counting.log where n > $1 order by n', [rows[0]!.n]);
    expect(later.rows.map(({ n }) => Number(n))).toEqual(upTo(1_000_000_005, 1_000_000_001));
    expect(await sightings('a')).toEqual(upTo(326));
  });

  it('are not waited for by a new reader: it starts with what is kept', async () => {
    await app.stop();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query("delete from watching.cursor where reader = 'watching.totals'; delete from watching.total");
    const { rows } = await client.query<{ kept: number }>("select count(*)::int kept from counting.outbox where aggregate_id = 'a'");
    await client.end();
    app = await start();
    await count('a', 1);
    const { rows: totals } = await app.watching.query("select seen from watching.total where counter = 'a'");
    expect(totals).toEqual([{ seen: rows[0]!.kept + 1 }]);
    expect(rows[0]!.kept).toBeGreaterThan(0);
  });
});
