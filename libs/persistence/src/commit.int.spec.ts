import 'reflect-metadata';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AggregateStore } from './aggregate-store.js';
import type { ContextDatabase } from './context-database.js';
import { openBank, Purse, storeOf } from './fixtures/purses.js';
import type { Statement } from './statement.js';
import { UnitOfWork } from './unit-of-work.js';

describe.each([['in one round trip', true], ['statement by statement', false]])('a commit %s', (_, pipeline) => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let purses: AggregateStore<Purse>;

  beforeAll(async () => {
    database = await createTestDatabase();
    // One connection: what one commit leaves on it, the next one meets.
    db = await openBank(database.url, 1, pipeline);
    await db.query('create table bank.note (n int check (n <> 13), once int constraint once unique deferrable initially deferred)');
    purses = storeOf(db);
  });
  beforeEach(async () => {
    await db.query('truncate bank.purse, bank.event, bank.note');
    await UnitOfWork.run(db, async () => ['a', 'b', 'c'].forEach((id) => purses.add(new Purse(id, id))));
  });
  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  const note = (n: number, once = n): Statement => ({ text: 'insert into bank.note values ($1, $2)', values: [n, once] });
  const depositEverywhere = (store = purses) => async () => {
    for (const purse of (await store.findMany(['c', 'a', 'b'])).values()) for (const amount of [1, 2]) purse.deposit(amount);
  };
  const versions = async () => (await db.query<{ version: number }>('select version from bank.purse order by id')).rows.map(({ version }) => version);
  const counts = async () => (await db.query('select (select count(*)::int from bank.event) events, (select count(*)::int from bank.note) notes')).rows[0];
  const expectNothing = async () => expect([await versions(), await counts()]).toEqual([[1, 1, 1], { events: 0, notes: 0 }]);

  it('stores several aggregates, what else is written, and the events as they were raised', async () => {
    await UnitOfWork.run(db, depositEverywhere(), { also: () => [note(1), note(2)] });
    expect([await versions(), await counts()]).toEqual([[3, 3, 3], { events: 6, notes: 2 }]);
    expect((await db.query('select aggregate || version as name from bank.event order by seq')).rows.map(({ name }) => name)).toEqual(['c2', 'c3', 'a2', 'a3', 'b2', 'b3']);
  });

  it.each(['a', 'b', 'c'])('blames the one of several aggregates that somebody else has changed: %s', async (changed) => {
    const losing = UnitOfWork.run(db, async () => {
      await depositEverywhere()();
      await db.query('update bank.purse set version = 7 where id = $1', [changed]);
    }, { also: () => [note(1)] });
    await expect(losing).rejects.toMatchObject({ code: 'persistence.concurrency-conflict', message: expect.stringContaining(`bank.purse "${changed}" was changed`) });
    expect([await versions(), await counts()]).toEqual([['a', 'b', 'c'].map((id) => (id === changed ? 7 : 1)), { events: 0, notes: 0 }]);
  });

  it('blames the aggregate whose row breaks a constraint, among several of its kind', async () => {
    const add = (...owners: string[]) => UnitOfWork.run(db, async () => owners.forEach((owner, index) => purses.add(new Purse(`new${index}`, owner))));
    await expect(add('d', 'b', 'e')).rejects.toThrow('b has a purse');
    await expect(UnitOfWork.run(db, async () => ['d', 'c'].forEach((id) => purses.add(new Purse(id, `${id}2`))))).rejects.toThrow(/bank\.purse "c" was changed by somebody else/);
    await expectNothing();
    await add('d', 'e');
    expect(await versions()).toHaveLength(5);
  });

  it('stores nothing of what came before or after a statement that fails, whichever it is', async () => {
    const told = { ...note(13), explain: () => new Error('thirteen') };
    await expect(UnitOfWork.run(db, depositEverywhere(), { also: () => [note(1), told, note(2)] })).rejects.toThrow('thirteen');
    await expect(UnitOfWork.run(db, async () => purses.update('a', (purse) => purse.deposit(13)), { also: () => [note(1)] })).rejects.toThrow(/event_amount_check/);
    await expectNothing();
  });

  it('stores nothing when only the commit itself fails, and says what it means if one statement knows', async () => {
    const twice = [note(1), { ...note(2, 1), explain: () => new Error('only once') }];
    await expect(UnitOfWork.run(db, depositEverywhere(), { also: () => twice })).rejects.toThrow('only once');
    await expectNothing();
  });

  it('sends nothing when a value cannot be sent, and leaves the connection as it was', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(UnitOfWork.run(db, depositEverywhere(), { also: () => [note(1), { text: 'select $1::json', values: [circular] }] })).rejects.toThrow(/circular/);
    await expectNothing();
  });

  it('knows which statements a server has parsed, although it has failed before or behind them', async () => {
    const named = (name: string, n: number): Statement => ({ ...note(n), text: `insert into bank.note values ($1, $2) /* ${name} */`, name });
    const write = (...also: Statement[]) => UnitOfWork.run(db, async () => undefined, { also: () => also });
    await expect(write(named('one', 1), named('two', 13), named('three', 3))).rejects.toThrow(/note_n_check/);
    await write(named('three', 3), named('two', 2), named('one', 1));
    await write(named('one', 4), named('one', 5));
    expect(await counts()).toEqual({ events: 0, notes: 5 });
  });
});

describe('a commit without BEGIN', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = await openBank(database.url, 1, true);
  });
  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  it.each([['was begun', 'select 1'], ['has failed', 'select 1 / 0']])('refuses a connection that was given back in a transaction that %s, so that nothing hangs in the air', async (_, statement) => {
    const purses = storeOf(db);
    const add = () => UnitOfWork.run(db, async () => purses.add(new Purse(statement, statement)));
    const client = await db.connect();
    await client.query('begin');
    await client.query(statement).catch(() => undefined);
    client.release();
    await expect(add()).rejects.toThrow(/transaction that was begun by somebody and never ended.*What to do: commit or roll back/s);
    expect((await db.query('select 1 from bank.purse where id = $1', [statement])).rows).toEqual([]);
    await add();
    expect((await db.query('select 1 from bank.purse where id = $1', [statement])).rows).toHaveLength(1);
  });
});
