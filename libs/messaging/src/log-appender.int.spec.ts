import 'reflect-metadata';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NumbersWithdrawn } from './fresh-events.js';
import { LANES } from './lanes.js';
import { LogAppender } from './log-appender.js';
import { messagingTables } from './messaging-tables.js';
import { sequencerSql } from './sequencer-sql.js';

const ME = '00000000-0000-7000-8000-000000000001';

describe('what appends to the log', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let appender: LogAppender;
  let failures: unknown[];
  /** As the sequencer keeps them. */
  let head = 0;
  const heads = Array.from({ length: LANES }, () => 0);

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 4 });
    await db.open();
    await db.migrate();
  });

  afterAll(async () => {
    appender?.close();
    await db?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    appender?.close();
    failures = [];
    const { rows } = await db.query<{ gen: string; head: string; heads: string[] }>('select gen, head, heads from shop.sequencer order by gen desc limit 1');
    head = Number(rows[0]!.head);
    heads.splice(0, LANES, ...rows[0]!.heads.map(Number));
    const statement = { text: sequencerSql('shop').number };
    appender = new LogAppender({ client: await db.connectAlone(), statement, instance: ME, gen: rows[0]!.gen, failed: (error) => failures.push(error) });
  });

  /** Stores an event and numbers it. Answers in an object: the promise in it is not waited for. */
  const next = async (): Promise<{ appended: Promise<void> }> => {
    const { rows } = await db.query<{ position: string; snap: string }>(
      `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       values (gen_random_uuid(), 'default', 0, 'shop.thing', 'a', 1, 'shop.happened', 1, '{}', '{}') returning position, pg_current_snapshot()::text snap`,
    );
    const row = { n: ++head, prev: heads[0]!, lane: 0, position: rows[0]!.position };
    heads[0] = head;
    const appended = appender.append([row], rows[0]!.snap, [...heads]);
    appended.catch(() => undefined);
    return { appended };
  };
  const logged = async () => (await db.query<{ n: string }>('select n from shop.log order by n')).rows.map(({ n }) => Number(n));
  /** Keeps everybody from the log until it is released. */
  const holdLog = async () => {
    const client = await db.connect();
    await client.query('begin');
    await client.query('lock table shop.log in exclusive mode');
    return async () => {
      await client.query('rollback');
      client.release();
    };
  };

  it('sends one statement at a time, and what came meanwhile together with the next', async () => {
    const before = (await logged()).length;
    const release = await holdLog();
    const promises: Promise<void>[] = [];
    for (let i = 0; i < 10; i++) promises.push((await next()).appended);
    expect(appender.appended).toBe(0);
    await release();
    await Promise.all(promises);
    expect(appender.appended).toBe(2);
    expect(await logged()).toEqual(Array.from({ length: before + 10 }, (_, i) => i + 1));
  });

  it('sends nothing behind a statement that failed, and says so before anybody who waits learns of it', async () => {
    const before = await logged();
    const release = await holdLog();
    const promises = [(await next()).appended, (await next()).appended, (await next()).appended];
    const told: number[] = [];
    for (const promise of promises) promise.catch(() => told.push(failures.length));
    // Of another owner, who was faster.
    await db.query("insert into shop.sequencer select gen + 1, '00000000-0000-7000-8000-000000000002', snap, head, heads, system_id, timeline, incarnation from shop.sequencer order by gen desc limit 1");
    await release();
    for (const promise of promises) await expect(promise).rejects.toThrow(NumbersWithdrawn);
    expect(failures).toHaveLength(1);
    expect(told).toEqual([1, 1, 1]);
    expect(await logged()).toEqual(before);
  });

  it('takes nothing more once it is closed, but brings the statement in progress to its end', async () => {
    const before = (await logged()).length;
    const release = await holdLog();
    const [inProgress, waiting] = [(await next()).appended, (await next()).appended];
    appender.close();
    await expect(waiting).rejects.toThrow(NumbersWithdrawn);
    await expect((await next()).appended).rejects.toThrow(NumbersWithdrawn);
    await release();
    await inProgress;
    expect(await logged()).toHaveLength(before + 1);
    expect(failures).toEqual([]);
  });

  it('learns from a lost connection that nothing is certain', async () => {
    const release = await holdLog();
    const { appended } = await next();
    const broken = () => db.query("select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
    await expect.poll(async () => (await broken()).rows).toHaveLength(1);
    await expect(appended).rejects.toThrow(NumbersWithdrawn);
    expect(failures).toHaveLength(1);
    await release();
  });
});
