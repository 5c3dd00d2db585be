import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Lease, Leases, STALL_MAX_MS } from './leases.js';
import { messagingTables } from './messaging-tables.js';
import { TERMS } from './protocol/lease.js';

describe('the heartbeat', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let other: pg.Client;
  let leases: Leases;
  let lease: Lease;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 4 });
    await db.open();
    await db.migrate();
    await db.query('create table shop.answer as select 42 as n');
    other = new pg.Client({ connectionString: database.url });
    await other.connect();
  });

  afterAll(async () => {
    await other?.end();
    await db?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    // A lease that lives longer: a machine that is busy must not lose it here.
    leases = new Leases(STALL_MAX_MS, { ...TERMS, ttl: 8_000 });
    lease = leases.of(db);
    await lease.join('readers');
  });

  afterEach(() => leases.stop());

  const answers: (string | null)[] = [];
  const watch = (sql: string) => {
    answers.length = 0;
    return lease.watch('answer', { sql, heard: (answer) => answers.push(answer) });
  };
  const until = async () => (await db.query<{ until: string }>('select until::text from nb.member where instance = $1', [lease.instance])).rows[0]?.until;
  const waiting = async () => (await db.query<{ waiting: number }>("select count(*)::int waiting from pg_stat_activity where datname = current_database() and application_name = 'nestbox lease' and wait_event_type = 'Lock'")).rows[0]!.waiting;

  it('brings the answer to a question, and to a new one without waiting for the next second', async () => {
    watch('select n from shop.answer');
    await expect.poll(() => answers.includes('42')).toBe(true);
    watch('select n + 1 from shop.answer');
    await expect.poll(() => answers.includes('43')).toBe(true);
  });

  it('renews the lease although a question cannot be answered', async () => {
    const { instance } = lease;
    watch('select n from shop.missing');
    const before = await until();
    await expect.poll(until).not.toBe(before);
    expect(lease.instance).toBe(instance);
    expect(answers).toEqual([]);
  });

  it('renews the lease although a question hangs behind a lock, and does not pile up waiting statements', async () => {
    const { instance } = lease;
    watch('select n from shop.answer');
    await expect.poll(() => answers.length).toBeGreaterThan(0);
    const before = Date.parse((await until())!);
    await other.query('begin; lock table shop.answer');
    await expect.poll(async () => Date.parse((await until())!) - before).toBeGreaterThan(4_000);
    const piled = await waiting();
    expect(lease.instance).toBe(instance);
    expect(lease.valid).toBe(true);
    await other.query('commit');
    console.log(`${piled} statements waited in the end.`);
    expect(piled).toBeGreaterThan(0);
    expect(piled).toBeLessThanOrEqual(4);
    answers.length = 0;
    await expect.poll(() => answers.includes('42')).toBe(true);
  });

  it('knows the moment when another member has died', async () => {
    const before = lease.instance;
    const dying = new Leases();
    await dying.of(db).join('readers');
    const seen: number[] = [];
    lease.watch('members', { sql: 'select 1', heard: (_, beat) => seen.push(beat.members('readers').length) });
    await expect.poll(() => seen.includes(2)).toBe(true);
    // Its memberships stay, and nobody renews them: as after a crash.
    await other.query(`create table shop.kept as select * from nb.member where instance <> '${before}'`);
    await dying.stop();
    await other.query("insert into nb.member select reader, instance, clock_timestamp() + interval '4 s' from shop.kept");
    seen.length = 0;
    const died = performance.now();
    await expect.poll(() => seen.length > 0 && seen.at(-1) === 2, { interval: 5 }).toBe(true);
    await expect.poll(() => seen.at(-1), { interval: 5 }).toBe(1);
    console.log(`A member that stopped renewing its lease of 4 s was known to be dead after ${Math.round(performance.now() - died)} ms.`);
    expect(lease.instance).toBe(before);
  });
});
