import 'reflect-metadata';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AggregateStore } from './aggregate-store.js';
import { ContextDatabase } from './context-database.js';
import { CreatePurse1, Purse, PurseSchema } from './fixtures/purses.js';
import { UnitOfWork } from './unit-of-work.js';

describe.each([['pipelined', true], ['not pipelined', false]])('a query, %s', (_, pipeline) => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let purses: AggregateStore<Purse>;

  beforeAll(async () => {
    database = await createTestDatabase();
    // One connection: who takes a second one while it has the first waits for ever.
    db = new ContextDatabase({ context: 'bank', entities: [PurseSchema], migrations: [CreatePurse1], url: database.url, poolSize: 1, pipeline });
    await db.open();
    await db.migrate();
    purses = new AggregateStore(db, PurseSchema, { type: 'bank.purse' });
  });
  beforeEach(async () => {
    await db.query('truncate bank.purse');
    await UnitOfWork.run(db, async () => purses.add(new Purse('a', 'owner')));
  });
  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  const inUse = () => db.pool.totalCount - db.pool.idleCount;

  it('that tries to write is refused by the database, after a read as well as before', async () => {
    const write = () => db.manager.query("update bank.purse set owner = 'nobody'");
    await expect(db.read(write)).rejects.toMatchObject({ code: '25006' });
    await expect(db.read(async () => { await purses.read('a'); await write(); })).rejects.toMatchObject({ code: '25006' });
    await expect(db.read(async () => { await db.manager.query('select 1'); await write(); })).rejects.toMatchObject({ code: '25006' });
    expect((await purses.read('a')).owner).toBe('owner');
  });

  it('takes a connection when it asks for something, keeps it for its transaction, and gives it back', async () => {
    const seen = await db.read(async () => {
      const before = inUse();
      const { owner } = await purses.read('a');
      const between = inUse();
      const [{ pid }] = await db.manager.query('select pg_backend_pid() pid');
      const within = await purses.read('a');
      const [again] = await db.manager.query("select pg_backend_pid() pid, current_setting('transaction_read_only') read_only");
      return [before, owner, between, within.owner, inUse(), again.pid === pid, again.read_only];
    });
    expect(seen).toEqual([0, 'owner', 0, 'owner', 1, true, 'on']);
    await expect.poll(inUse).toBe(0);
  });

  it('that is over asks nothing any more: outside of its transaction it could write', async () => {
    const manager = await db.read(async () => db.manager);
    await expect(manager.query("update bank.purse set owner = 'nobody'")).rejects.toThrow(/had already ended.*What to do: await every promise/s);
    const begun = await db.read(async () => { await db.manager.query('select 1'); return db.manager; });
    await expect(begun.query("update bank.purse set owner = 'nobody'")).rejects.toThrow(/had already ended/);
    expect((await purses.read('a')).owner).toBe('owner');
  });

  it('inside a unit of work sees what is stored; the unit of work itself what it has written', async () => {
    await UnitOfWork.run(db, async () => {
      await purses.update('a', (purse) => { purse.owner = 'other'; });
      expect((await db.read(() => purses.read('a'))).owner).toBe('owner');
      await UnitOfWork.run(db, async () => expect((await purses.read('a')).owner).toBe('other'), { propagation: 'nested' });
    });
  });

  it('finds what is there although a migration has changed the type of a column since', async () => {
    for (let i = 0; i < 7; i++) await purses.read('a');
    await db.query('alter table bank.purse alter column amount type bigint');
    expect(await purses.read('a')).toMatchObject({ id: 'a', version: 1 });
    await db.query('alter table bank.purse alter column amount type int');
    expect(await purses.read('a')).toMatchObject({ id: 'a', amount: 0 });
    await UnitOfWork.run(db, async () => expect((await purses.get('a')).amount).toBe(0));
  });
});
