import 'reflect-metadata';
import { createTestDatabase, CuttingProxy, type TestDatabase } from '@nestbox/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable } from './errors.js';
import { openBank, Purse, storeOf } from './fixtures/purses.js';
import { UnitOfWork } from './unit-of-work.js';

describe.each([['in one round trip', true], ['statement by statement', false]])('several aggregates whose commit, %s, loses its connection', (_, pipeline) => {
  let database: TestDatabase;
  let db: ContextDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
    db = await openBank(database.url, 2, pipeline);
    const purses = storeOf(db);
    await UnitOfWork.run(db, async () => ['a', 'b', 'c'].forEach((id) => purses.add(new Purse(id, id))));
  });
  afterEach(async () => {
    await db?.close();
    await database?.drop();
  });

  const depositEverywhere = async (context: ContextDatabase, also: readonly string[] = []) => {
    const purses = storeOf(context);
    await UnitOfWork.run(context, async () => {
      for (const purse of (await purses.findMany(['a', 'b', 'c'])).values()) purse.deposit(1);
    }, { also: () => also.map((text) => ({ text, values: [] })) });
  };
  const stored = async () => {
    const { rows } = await db.query<{ version: number; events: number }>('select p.version, (select count(*)::int from bank.event e where e.aggregate = p.id) events from bank.purse p order by p.id');
    return rows.map(({ version, events }) => [version, events]);
  };

  it('because the server ended it in the middle: nothing is stored, and that is known', async () => {
    await expect(depositEverywhere(db, ['select pg_terminate_backend(pg_backend_pid())', 'select 1'])).rejects.toThrow(DatabaseUnavailable);
    expect(await stored()).toEqual([[1, 0], [1, 0], [1, 0]]);
  });

  it.each(['before', 'after'] as const)('because it was cut %s the server had got it: what became of all of it is looked up', async (when) => {
    const proxy = await CuttingProxy.before(database);
    const behind = await openBank(proxy.database.url, 2, pipeline);
    proxy.cutNext(when, pipeline ? 'update "bank"."purse"' : 'commit');
    const work = depositEverywhere(behind);
    if (when === 'before') await expect(work).rejects.toThrow(DatabaseUnavailable);
    else await work;
    expect(proxy.armed).toBe(false);
    expect(await stored()).toEqual(when === 'before' ? [[1, 0], [1, 0], [1, 0]] : [[2, 1], [2, 1], [2, 1]]);
    await behind.close();
    await proxy.stop();
  });
});
