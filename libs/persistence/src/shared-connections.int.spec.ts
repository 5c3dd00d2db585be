import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, CuttingProxy, type TestDatabase } from '@nestbox/testing';
import type { PoolClient } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable } from './errors.js';
import { openBank, Purse, storeOf } from './fixtures/purses.js';
import { readRows } from './read-rows.js';
import { UnitOfWork } from './unit-of-work.js';
import { writeBatch } from './write-batch.js';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('shared connections', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  const opened: ContextDatabase[] = [];

  const open = async (poolSize: number, url = database.url) => {
    const bank = await openBank(url, poolSize, true);
    opened.push(bank);
    return bank;
  };
  beforeEach(async () => {
    database = await createTestDatabase();
    db = await open(2);
    await db.query('create table bank.note (n int check (n % 5 <> 3), process int default pg_backend_pid())');
  });
  afterEach(async () => {
    for (const bank of opened.splice(0)) await bank.close();
    await database.drop();
  });

  const note = (n: number, name?: string) => ({ text: `insert into bank.note (n) values ($1) /* ${name} */`, values: [n], ...(name !== undefined && { name }) });
  const write = (...notes: readonly ReturnType<typeof note>[]) => (client: PoolClient) => writeBatch(client, notes);
  const processes = async () => (await db.query<{ count: number }>('select count(distinct process)::int from bank.note')).rows[0]!.count;
  const notes = async () => (await db.query<{ n: number }>('select n from bank.note order by n')).rows.map(({ n }) => n);
  const add = (bank: ContextDatabase, id: string) =>
    UnitOfWork.run(bank, async () => {
      const purse = new Purse(id, id);
      purse.deposit(1);
      storeOf(bank).add(purse);
    });
  const purses = async () => (await db.query<{ id: string }>('select id from bank.purse')).rows.map(({ id }) => id);

  it('carry the work of many at once, on at most half of the pool', async () => {
    await Promise.all(range(8).map((n) => db.shared.run(write(note(n * 5)))));
    expect(await notes()).toEqual(range(8).map((n) => n * 5));
    expect(await processes()).toBe(1);
    const six = await open(6);
    await db.query('truncate bank.note');
    await Promise.all(range(24).map((n) => six.shared.run(write(note(n * 5)))));
    expect(await processes()).toBe(3);
  });

  it('have enough at some time: more goes to the rest of the pool', async () => {
    await Promise.all(range(40).map((n) => db.shared.run(write(note(n * 5)))));
    expect(await notes()).toEqual(range(40).map((n) => n * 5));
    expect(await processes()).toBe(2);
  });

  it('let each piece of work fail by itself, with all of its statements', async () => {
    const results = await Promise.allSettled(range(40).map((n) => db.shared.run(write(note(1_000 + n * 5), note(n)))));
    const failed = results.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []));
    expect(failed).toEqual(range(40).filter((n) => n % 5 === 3));
    expect(await notes()).toEqual([...range(40), ...range(40).map((n) => 1_000 + n * 5)].filter((n) => !failed.includes(n) && !failed.includes((n - 1_000) / 5)));
  });

  it('do not rely on a statement that somebody in front has sent under a name, and that was never parsed', async () => {
    const [one, two] = [(n: number) => note(n, 'one'), (n: number) => note(n, 'two')];
    const results = await Promise.allSettled([[one(3), two(0)], [two(0)], [one(0), two(3)], [two(0), one(0)], [one(0)], [two(0), two(0)]].map((batch) => db.shared.run(write(...batch))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(await notes()).toHaveLength(6);
    await Promise.all(range(20).map((n) => db.shared.run(write(one(n * 5), two(n * 5)))));
    expect(await notes()).toHaveLength(46);
  });

  it('read and write on one connection, by names that are new to it', async () => {
    const read = (by: number) => (client: PoolClient) => readRows(client, { name: 'tenfold', text: 'select 10 * $1::int as n, pg_backend_pid() process where 1 / $1 is not null', values: [by] });
    const results = await Promise.allSettled(range(12).map((n) => (n % 2 === 0 ? db.shared.run(read(n / 2)) : db.shared.run(write(note(0, 'zero'))))));
    const read0 = results.filter((_, n) => n % 2 === 0);
    expect(read0[0]).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
    expect(read0.slice(1).map((result) => (result as PromiseFulfilledResult<{ n: number }[]>).value[0]!.n)).toEqual([10, 20, 30, 40, 50]);
    expect(await notes()).toEqual(range(6).map(() => 0));
  });

  it('that have stalled make nobody wait who comes later', async () => {
    const order: string[] = [];
    const slow = db.shared.run((client) => client.query('select pg_sleep(1)')).then(() => order.push('slow'));
    const behind = db.shared.run(write(note(0))).then(() => order.push('behind'));
    await sleep(100);
    await db.shared.run(write(note(5))).then(() => order.push('later'));
    await Promise.all([slow, behind]);
    expect(order).toEqual(['later', 'slow', 'behind']);
    expect(await processes()).toBe(2);
  });

  it('are not for what may wait for a lock: an update waits on a connection of its own', async () => {
    const four = await open(4);
    for (const id of ['a', 'b', 'c']) await add(four, id);
    const holder = await db.begin();
    await holder.client.query('select from bank.purse for update');
    const waiting = ['a', 'b', 'c'].map((id) => UnitOfWork.run(four, () => storeOf(four).update(id, (purse) => purse.deposit(1))));
    await Promise.all(range(20).map((n) => add(four, `new${n}`)));
    expect(await Promise.race([...waiting, Promise.resolve('all of them wait')])).toBe('all of them wait');
    await holder.rollback();
    await Promise.all(waiting);
  });

  it('are not for who has a transaction open: what is in front may wait for its locks', async () => {
    const four = await open(4);
    const [held, waiting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const outer = UnitOfWork.run(four, async () => {
      storeOf(four).add(new Purse('x', 'x'));
      await UnitOfWork.run(four, async () => undefined, { propagation: 'nested' }); // Stores what there is, and does not commit it.
      held.resolve();
      await waiting.promise;
      await UnitOfWork.run(four, async () => storeOf(four).add(new Purse('apart', 'apart')), { propagation: 'requires-new' });
    });
    await held.promise;
    // On all connections that are shared, somebody wants the same key.
    const tried = Promise.allSettled(range(2).map(() => add(four, 'x')));
    await expect.poll(async () => (await db.query("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rows.length, { interval: 1 }).toBe(2);
    waiting.resolve();
    await outer;
    for (const result of await tried) expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('changed by somebody else') } });
    expect(new Set(await purses())).toEqual(new Set(['x', 'apart']));
  });

  it('that are lost fail everything that was under way on them, and what each is told is true', async () => {
    const kill = (client: PoolClient) => client.query('select pg_terminate_backend(pg_backend_pid())');
    const before = range(3).map((n) => add(db, `before${n}`));
    await before[0];
    const results = await Promise.allSettled([...before, db.shared.run(kill), ...range(4).map((n) => add(db, `after${n}`))]);
    for (const [n, result] of results.entries()) if (n !== 3 && result.status === 'rejected') expect(result.reason).toBeInstanceOf(DatabaseUnavailable);
    const told = results.flatMap(({ status }, n) => (n !== 3 && status === 'fulfilled' ? [n < 3 ? `before${n}` : `after${n - 4}`] : []));
    expect(new Set(await purses())).toEqual(new Set(told));
    expect(told).toContain('before0');
    expect(told).not.toContain('after0');
    await add(db, 'now');
    expect(await purses()).toContain('now');
  });

  it('refuse everybody when one came out of the pool in a transaction', async () => {
    const one = await db.connect();
    const other = await db.connect();
    for (const client of [one, other]) await client.query('begin');
    for (const client of [one, other]) client.release();
    const results = await Promise.allSettled(range(5).map((n) => add(db, `purse${n}`)));
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('never ended') } });
    await expect(add(db, 'once more')).rejects.toThrow('never ended');
    await add(db, 'well');
    expect(await purses()).toEqual(['well']);
  });

  it('say that the database is not available when none can be had', async () => {
    const proxy = await CuttingProxy.before(database);
    const behind = await open(4, proxy.database.url);
    await proxy.stop();
    while (behind.pool.totalCount > 0) await sleep(10);
    const results = await Promise.allSettled(range(6).map((n) => add(behind, `no${n}`)));
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseUnavailable) });
    expect(await purses()).toEqual([]);
  });

  it('do not exist behind a pooler', async () => {
    const proxy = await CuttingProxy.before(database, { pooling: true });
    const pooled = await open(2, proxy.database.url);
    await Promise.all(range(20).map((n) => pooled.shared.run(write(note(n * 5)))));
    expect(await processes()).toBe(2);
    await pooled.close();
    await proxy.stop();
  });
});
