import { Aggregate } from '@nestbox/kernel';
import { createTestDatabase, CuttingProxy, type TestDatabase } from '@nestbox/testing';
import { EntitySchema } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AggregateStore } from './aggregate-store.js';
import { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable } from './errors.js';
import { isTransient } from './statement.js';
import { UnitOfWork } from './unit-of-work.js';

class Thing extends Aggregate {
  constructor(readonly id: string, public size: number) {
    super();
  }
}

const ThingSchema = new EntitySchema<Thing>({
  name: 'Thing', target: Thing, tableName: 'thing', schema: 'shop',
  columns: { id: { type: 'text', primary: true }, size: { type: 'int' }, version: { type: 'int' } },
});

describe('connections that fall silent without an end, as behind a firewall that has forgotten them', () => {
  let database: TestDatabase;
  let proxy: CuttingProxy;
  let db: ContextDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
    proxy = await CuttingProxy.before(database);
    db = new ContextDatabase({ context: 'shop', url: proxy.database.url, entities: [ThingSchema], poolSize: 2, enginePoolSize: 2, answerTimeoutMs: 300 });
    await db.open();
    await db.migrate();
    await db.query('create table shop.thing (id text primary key, size int not null, version int not null)');
  });

  afterEach(async () => {
    await db.close();
    await proxy.stop();
    await database.drop();
  });

  it('fail what is asked on them as unavailable, and others take their place', async () => {
    await db.enginePool.query('select 1');
    proxy.forget();
    const refused = await Promise.allSettled([db.query('select 1'), db.enginePool.query('select 1')]);
    expect(refused).toMatchObject([{ status: 'rejected', reason: expect.any(DatabaseUnavailable) }, { status: 'rejected' }]);
    for (const result of refused) expect(isTransient((result as PromiseRejectedResult).reason)).toBe(true);
    const answered = await Promise.all([db.query('select 1 one'), db.enginePool.query('select 1 one')]);
    expect(answered.map(({ rows }) => rows)).toEqual([[{ one: 1 }], [{ one: 1 }]]);
  });

  it('do not leave a unit of work waiting, and nothing of it is stored', async () => {
    const things = new AggregateStore(db, ThingSchema, { type: 'shop.thing' });
    const add = (id: string) => UnitOfWork.run(db, async () => things.add(new Thing(id, 1)));
    await add('before');
    proxy.forget();
    const error = await add('meanwhile').catch((caught: unknown) => caught);
    expect(isTransient(error)).toBe(true);
    await add('after');
    expect((await db.query('select id from shop.thing order by id')).rows).toEqual([{ id: 'after' }, { id: 'before' }]);
  });

  it('are given time by migrations', async () => {
    const slow = class {
      readonly name = 'Slow1767225600009';
      async up(runner: { query(sql: string): Promise<unknown> }): Promise<void> {
        await runner.query('select pg_sleep(0.6)');
      }
      async down(): Promise<void> {}
    };
    const migrating = new ContextDatabase({ context: 'shop', url: proxy.database.url, migrations: [slow], poolSize: 1, enginePoolSize: 1, answerTimeoutMs: 300 });
    await migrating.open();
    expect(await migrating.migrate()).toEqual(['Slow1767225600009']);
    await migrating.close();
  });
});
