import 'reflect-metadata';
import { type DomainEvent, EventRaisedOutsideUnitOfWork } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AggregateStore } from './aggregate-store.js';
import { ContextDatabase } from './context-database.js';
import { ConcurrencyConflict, ForeignUnitOfWork, NoUnitOfWork, UnitOfWorkEnded, VersionMismatch } from './errors.js';
import { CreatePurse1, Deposited, outbox, Purse, PurseSchema } from './fixtures/purses.js';
import { UnitOfWork } from './unit-of-work.js';

describe.each([['in one round trip', true], ['statement by statement', false]])('the unit of work, stored %s', (_, pipeline) => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let other: ContextDatabase;
  let purses: AggregateStore<Purse>;
  let next = 0;
  let id: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const options = { url: database.url, poolSize: 5, pipeline };
    db = new ContextDatabase({ ...options, context: 'bank', entities: [PurseSchema], migrations: [CreatePurse1] });
    other = new ContextDatabase({ ...options, context: 'shop' });
    for (const opened of [db, other]) await opened.open();
    await db.migrate();
    db.outbox = outbox;
    purses = new AggregateStore(db, PurseSchema, { type: 'bank.purse', notFound: (missing) => new Error(`no purse ${missing}`), unique: { one_purse: (purse) => new Error(`${purse.owner} has a purse`) } });
  });

  afterAll(async () => {
    for (const opened of [db, other]) await opened?.close();
    await database?.drop();
  });

  beforeEach(() => {
    id = `p${++next}`;
  });

  const open = (purse = id) => UnitOfWork.run(db, async () => {
    const fresh = new Purse(purse, purse);
    fresh.deposit(1);
    purses.add(fresh);
  });
  const row = async (purse = id) => (await db.query('select amount, version from bank.purse where id = $1', [purse])).rows[0];
  const events = async (purse = id) => (await db.query('select amount, version from bank.event where aggregate = $1 order by seq', [purse])).rows;

  it('stores an aggregate and its events together', async () => {
    await open();
    await UnitOfWork.run(db, () => purses.update(id, (purse) => { purse.deposit(2); purse.deposit(3); }));
    expect(await row()).toEqual({ amount: 6, version: 3 });
    expect(await events()).toEqual([{ amount: 1, version: 1 }, { amount: 2, version: 2 }, { amount: 3, version: 3 }]);
  });

  it('stores nothing when the work throws', async () => {
    await expect(UnitOfWork.run(db, async () => { purses.add(new Purse(id, id)); throw new Error('changed my mind'); })).rejects.toThrow('changed my mind');
    expect(await row()).toBeUndefined();
  });

  it('rolls the row back when its event cannot be stored', async () => {
    await open();
    await expect(UnitOfWork.run(db, () => purses.update(id, (purse) => purse.deposit(13)))).rejects.toThrow(/event_amount_check/);
    expect(await row()).toEqual({ amount: 1, version: 1 });
    expect(await events()).toHaveLength(1);
  });

  it('rolls back every aggregate and every event when one of several has lost against somebody else', async () => {
    const [first, second] = [`${id}a`, `${id}b`];
    await open(first);
    await open(second);
    const losing = UnitOfWork.run(db, async () => {
      for (const purse of (await purses.findMany([first, second])).values()) purse.deposit(5);
      await UnitOfWork.run(db, () => purses.update(second, (purse) => purse.deposit(7)), { propagation: 'requires-new' });
    });
    await expect(losing).rejects.toThrow(ConcurrencyConflict);
    expect([await row(first), await row(second)]).toEqual([{ amount: 1, version: 1 }, { amount: 8, version: 2 }]);
    expect(await events(first)).toHaveLength(1);
  });

  it('refuses a single lost update and stores no event of it', async () => {
    await open();
    const losing = UnitOfWork.run(db, async () => {
      const mine = await purses.get(id);
      await UnitOfWork.run(db, () => purses.update(id, (purse) => purse.deposit(2)), { propagation: 'requires-new' });
      mine.deposit(4);
    });
    await expect(losing).rejects.toThrow(ConcurrencyConflict);
    expect(await events()).toHaveLength(2);
  });

  it('hands out one object per id, and writes a change without an event as one version', async () => {
    await open();
    await UnitOfWork.run(db, async () => {
      const [one, two] = [await purses.get(id), await purses.get(id)];
      expect(one).toBe(two);
      one.owner = `${id} renamed`;
    });
    expect(await row()).toEqual({ amount: 1, version: 2 });
    await UnitOfWork.run(db, () => purses.get(id));
    expect(await row()).toEqual({ amount: 1, version: 2 });
  });

  it('joins, starts anew or nests as asked', async () => {
    await open();
    const failing = UnitOfWork.run(db, async () => {
      await UnitOfWork.run(db, () => purses.update(id, (purse) => purse.deposit(10)));
      await UnitOfWork.run(db, () => open(`${id} apart`), { propagation: 'requires-new' });
      throw new Error('outer fails');
    });
    await expect(failing).rejects.toThrow('outer fails');
    expect(await row()).toEqual({ amount: 1, version: 1 });
    expect(await row(`${id} apart`)).toEqual({ amount: 1, version: 1 });

    await UnitOfWork.run(db, async () => {
      await purses.update(id, (purse) => purse.deposit(2));
      await UnitOfWork.run(db, () => purses.update(id, (purse) => purse.deposit(3)), { propagation: 'nested' });
      const undone = UnitOfWork.run(db, async () => { await purses.update(id, (purse) => purse.deposit(100)); throw new Error('inner fails'); }, { propagation: 'nested' });
      await expect(undone).rejects.toThrow('inner fails');
      await purses.update(id, (purse) => purse.deposit(4));
    });
    expect(await row()).toEqual({ amount: 10, version: 4 });
    expect((await events()).map((event) => event['amount'])).toEqual([1, 2, 3, 4]);
  });

  it('keeps a lost update in sight, although the nested work that noticed it first was given up', async () => {
    await open();
    const lost = UnitOfWork.run(db, async () => {
      await purses.update(id, (purse) => purse.deposit(2));
      await UnitOfWork.run(db, () => purses.update(id, (purse) => purse.deposit(3)), { propagation: 'requires-new' });
      await UnitOfWork.run(db, () => purses.find(id), { propagation: 'nested' }).catch(() => undefined);
    });
    await expect(lost).rejects.toThrow(ConcurrencyConflict);
    expect(await row()).toEqual({ amount: 4, version: 2 });
  });

  it('changes an aggregate only at a version that the caller has named, if any, a new one at 0', async () => {
    await open();
    const deposit = (ifVersion?: readonly number[]) => UnitOfWork.run(db, () => purses.update(id, (purse) => purse.deposit(2), ifVersion));
    for (const wrong of [[], [0], [2, 3]]) await expect(deposit(wrong)).rejects.toMatchObject({ kind: 'precondition-failed', code: 'persistence.version-mismatch', details: { version: 1 } });
    await deposit([0, 1]);
    await deposit();
    expect(await row()).toEqual({ amount: 5, version: 3 });
    const add = (ifVersion: readonly number[]) => UnitOfWork.run(db, () => purses.findOrAdd(`${id} new`, () => new Purse(`${id} new`, `${id} new`), ifVersion));
    await expect(add([1])).rejects.toThrow(VersionMismatch);
    await add([0]);
    await expect(add([0])).rejects.toThrow(/bank\.purse "p\d+ new" has version 1 now/);
    expect(await row(`${id} new`)).toEqual({ amount: 0, version: 1 });
  });

  it('keeps 200 concurrent units of work apart', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => open(`${id}-${i}`)));
    const { rows } = await db.query("select count(*)::int rows, count(distinct aggregate)::int aggregates from bank.event where aggregate like $1", [`${id}-%`]);
    expect(rows[0]).toEqual({ rows: 200, aggregates: 200 });
  });

  it('counts an event object that is raised twice once', async () => {
    const event = new Deposited(1);
    await UnitOfWork.run(db, async () => {
      const purse = new Purse(id, id);
      for (let i = 0; i < 2; i++) (purse as unknown as { raise(event: DomainEvent): void }).raise(event);
      purses.add(purse);
    });
    expect(await events()).toEqual([{ amount: 1, version: 1 }]);
  });

  it('turns a broken unique constraint into the error it means', async () => {
    await open();
    await expect(UnitOfWork.run(db, async () => purses.add(new Purse(`${id} too`, id)))).rejects.toThrow(`${id} has a purse`);
  });

  it('teaches: event outside, use after the end, another context, no unit of work, unknown aggregate', async () => {
    expect(() => new Purse(id).deposit(1)).toThrow(EventRaisedOutsideUnitOfWork);
    let late: Purse | undefined;
    await UnitOfWork.run(db, async () => { late = new Purse(id, id); purses.add(late); await new Promise((resolve) => setTimeout(resolve, 1)); setTimeout(() => { try { late!.deposit(1); } catch (error) { lateError = error; } }, 20); });
    let lateError: unknown;
    await expect.poll(() => lateError).toBeInstanceOf(UnitOfWorkEnded);
    await expect(UnitOfWork.run(other, () => purses.find(id))).rejects.toThrow(ForeignUnitOfWork);
    await expect(UnitOfWork.run(other, () => UnitOfWork.run(db, async () => undefined))).rejects.toThrow(ForeignUnitOfWork);
    expect(() => purses.add(new Purse(id))).toThrow(NoUnitOfWork);
    await expect(UnitOfWork.run(db, async () => new Purse(id).deposit(1))).rejects.toThrow(/no repository was given it/);
  });

  it('leaks no connection in 1,000 failing units of work', async () => {
    await open();
    for (let i = 0; i < 1000; i++) await UnitOfWork.run(db, async () => { await purses.get(id); throw new Error('no'); }).catch(() => undefined);
    expect(UnitOfWork.current()).toBeUndefined();
    expect(db.pool.totalCount - db.pool.idleCount).toBe(0);
  });

  it('migrates all down and up again, also when two instances start at once', async () => {
    expect(await db.revert()).toEqual(['CreatePurse1767225600000']);
    const again = await Promise.all([db.migrate(), db.migrate()]);
    expect(again.flat()).toEqual(['CreatePurse1767225600000']);
    expect((await db.dataSource.driver.createSchemaBuilder().log()).upQueries.filter((query) => /purse/.test(query.query) && !/one_purse/.test(query.query))).toEqual([]);
  });
});
