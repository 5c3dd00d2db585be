import { Aggregate, DomainEvent, UsageError, uuidv7, withMessage } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { EntitySchema, type MigrationInterface, type QueryRunner } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AggregateStore } from './aggregate-store.js';
import { ContextDatabase } from './context-database.js';
import { DeferredWrites } from './deferred-writes.js';
import { AggregateNotFound, AnotherTenant } from './errors.js';
import type { OutboxWriter } from './outbox-writer.js';
import { UnitOfWork } from './unit-of-work.js';

class Filled extends DomainEvent {
  static readonly type = 'cellar.filled';
}

class Barrel extends Aggregate {
  litres = 0;
  constructor(readonly id: string) {
    super();
  }
  fill(litres: number) {
    this.litres += litres;
  }
  announce() {
    this.raise(new Filled());
  }
}

/** A second table, so that the order of tables is seen, too; its ids are of a type that needs a cast. */
class Tap extends Aggregate {
  turns = 0;
  constructor(readonly id: string) {
    super();
  }
}

const tenantId = { type: 'text', name: 'tenant_id', primary: true } as const;
const BarrelSchema = new EntitySchema<Barrel>({
  name: 'Barrel', target: Barrel, tableName: 'barrel', schema: 'cellar',
  columns: { tenantId, id: { type: 'text', primary: true }, litres: { type: 'int' }, version: { type: 'int' } },
});
const TapSchema = new EntitySchema<Tap>({
  name: 'Tap', target: Tap, tableName: 'tap', schema: 'cellar',
  columns: { tenantId, id: { type: 'uuid', primary: true }, turns: { type: 'int' }, version: { type: 'int' } },
});
class Shelf extends Aggregate {
  constructor(readonly id: string) {
    super();
  }
}
const ShelfSchema = new EntitySchema<Shelf>({
  name: 'Shelf', target: Shelf, tableName: 'barrel', schema: 'cellar',
  columns: { tenantId: { type: 'text', name: 'tenant_id' }, id: { type: 'text', primary: true }, version: { type: 'int' } },
});
class Cask extends Aggregate {
  constructor(readonly id: string) {
    super();
  }
}
const CaskSchema = new EntitySchema<Cask>({ name: 'Cask', target: Cask, tableName: 'cask', schema: 'cellar', columns: { id: { type: 'text', primary: true }, version: { type: 'int' } } });

class CreateCellar1 implements MigrationInterface {
  readonly name = 'CreateCellar1767225600000';
  async up(runner: QueryRunner) {
    await runner.query('create table cellar.barrel (tenant_id text, id text, litres int not null, version int not null, primary key (tenant_id, id))');
    await runner.query('create table cellar.tap (tenant_id text, id uuid, turns int not null, version int not null, primary key (tenant_id, id))');
    await runner.query('create table cellar.cask (id text primary key, version int not null)');
    await runner.query('create table cellar.note (tenant_id text not null, text text not null)');
  }
  async down(runner: QueryRunner) {
    await runner.query('drop table cellar.barrel, cellar.tap, cellar.cask, cellar.note');
  }
}

const outbox: OutboxWriter = { insert: () => [], contains: async () => false, committed: () => undefined };

describe('tenants', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let barrels: AggregateStore<Barrel>;
  let taps: AggregateStore<Tap>;
  let notes: DeferredWrites<{ text: string }>;
  let next = 0;
  let id: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'cellar', url: database.url, poolSize: 5, entities: [BarrelSchema, TapSchema, ShelfSchema, CaskSchema], migrations: [CreateCellar1] });
    await db.open();
    await db.migrate();
    db.outbox = outbox;
    barrels = new AggregateStore(db, BarrelSchema, { type: 'cellar.barrel' });
    taps = new AggregateStore(db, TapSchema, { type: 'cellar.tap' });
    notes = new DeferredWrites(db, 'cellar.note', (items, tenantIds) => [
      { text: 'insert into cellar.note select * from unnest($1::text[], $2::text[])', values: [tenantIds, items.map(({ text }) => text)] },
    ]);
  });
  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });
  beforeEach(() => {
    id = `b${++next}`;
  });

  const as = <T>(tenant: string, work: () => Promise<T>): Promise<T> => withMessage({ correlationId: 'c', tenantId: tenant }, work);
  const fill = (tenant: string, litres: number, barrel = id) =>
    as(tenant, () => UnitOfWork.run(db, async () => (await barrels.findOrAdd(barrel, () => new Barrel(barrel))).fill(litres)));
  const stored = async (barrel = id) =>
    (await db.query<{ line: string }>("select tenant_id || ' ' || litres || ' v' || version line from cellar.barrel where id = $1 order by 1", [barrel])).rows.map(({ line }) => line);

  /** Runs work of several tenants in one transaction that locks, as the engine does with a batch; returns the selects that it sent. */
  async function batch(...work: readonly [tenant: string, handle: () => Promise<unknown>][]): Promise<string[]> {
    const transaction = await db.begin();
    const unit = UnitOfWork.within(db, transaction);
    const sent: string[] = [];
    const { client } = transaction;
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, { query: (text: unknown, ...more: unknown[]) => (typeof text === 'string' && text.startsWith('select') && sent.push(text), query(text, ...more)) });
    try {
      await unit.scope(() => Promise.all(work.map(([tenant, handle]) => as(tenant, handle))));
      await unit.commit();
      return sent;
    } finally {
      Object.assign(client, { query });
      await unit.end();
    }
  }

  it('have rows of their own under one id, in one unit of work', async () => {
    await fill('acme', 1);
    await UnitOfWork.run(db, async () => {
      const load = (tenant: string) => as(tenant, () => barrels.findOrAdd(id, () => new Barrel(id)));
      const [acme, globex, again] = await Promise.all([load('acme'), load('globex'), load('acme')]);
      expect(again).toBe(acme);
      expect([acme.litres, globex.litres, acme.tenantId, globex.tenantId]).toEqual([1, 0, 'acme', 'globex']);
      acme.fill(10);
      globex.fill(20);
    });
    expect(await stored()).toEqual(['acme 11 v2', 'globex 20 v1']);
  });

  it('have rows of their own under one id in a batch, which locks them all with one statement per table', async () => {
    await fill('acme', 1);
    await fill('globex', 2);
    const tap = uuidv7();
    const handle = (litres: number) => async () => {
      const [barrel] = await Promise.all([barrels.get(id), taps.findOrAdd(tap, () => new Tap(tap))]);
      barrel.fill(litres);
    };
    const sent = await batch(['acme', handle(10)], ['globex', handle(20)], ['acme', handle(100)], ['initech', async () => expect(await barrels.find(id)).toBeUndefined()]);
    expect(await stored()).toEqual(['acme 111 v2', 'globex 22 v2']);
    expect((await db.query('select tenant_id from cellar.tap where id = $1 order by 1', [tap])).rows).toEqual([{ tenant_id: 'acme' }, { tenant_id: 'globex' }]);
    expect(sent.map((text) => /"cellar"\."(\w+)"/.exec(text)![1])).toEqual(['barrel', 'tap']);
    expect(sent.every((text) => text.endsWith('for no key update of t'))).toBe(true);
  });

  it('never lock each other crosswise: rows of several tenants are locked in one order', async () => {
    const [tenants, ids] = [['acme', 'globex', 'initech'], Array.from({ length: 5 }, (_, index) => `${id}-${index}`)];
    for (const tenant of tenants) for (const barrel of ids) await fill(tenant, 1, barrel);
    const every = tenants.flatMap((tenant) => ids.map((barrel): [string, () => Promise<unknown>] => [tenant, () => barrels.update(barrel, (found) => found.fill(1))]));
    await Promise.all(Array.from({ length: 4 }, (_, run) => run).map(async (run) => {
      for (let round = 0; round < 10; round++) await batch(...(run % 2 ? every : every.toReversed()));
    }));
    for (const barrel of ids) expect(await stored(barrel)).toEqual(tenants.map((tenant) => `${tenant} 41 v41`));
  });

  it('see what is theirs only', async () => {
    await fill('acme', 1);
    await as('globex', async () => {
      await UnitOfWork.run(db, async () => {
        expect(await barrels.find(id)).toBeUndefined();
        expect((await barrels.findMany([id])).size).toBe(0);
        await expect(barrels.get(id)).rejects.toThrow(AggregateNotFound);
        await expect(barrels.update(id, (barrel) => barrel.fill(1))).rejects.toThrow(AggregateNotFound);
      });
      await expect(db.read(() => barrels.read(id))).rejects.toThrow(AggregateNotFound);
      await UnitOfWork.run(db, async () => expect(await barrels.find(id)).toBeUndefined(), { locking: true });
    });
    await as('acme', async () => expect(await db.read(() => barrels.read(id))).toMatchObject({ id, tenantId: 'acme', litres: 1, version: 1 }));
    expect(await stored()).toEqual(['acme 1 v1']);
  });

  it('are the default one where nobody says', async () => {
    await UnitOfWork.run(db, async () => barrels.add(new Barrel(id)));
    expect(await stored()).toEqual(['default 0 v1']);
    expect(await barrels.read(id)).toMatchObject({ tenantId: 'default' });
  });

  it('cannot be left out of a list, whatever its conditions', async () => {
    const globex = `globex of ${id}`;
    await fill('acme', 1);
    await fill(globex, 2);
    await as(globex, async () => {
      const litres = async (narrowed: ReturnType<typeof barrels.select>) => (await narrowed.getMany()).map((barrel) => barrel.litres);
      const both = { id };
      expect(await litres(barrels.select('b').where('b.id = :id', both))).toEqual([2]);
      expect(await litres(barrels.select('b').andWhere('b.litres > 5').where('b.id = :id', both).orWhere('b.id = :id', both))).toEqual([2]);
      expect(await litres(barrels.select('b').where('b.id = :id or 1 = 1', both).orderBy('b.litres').take(5))).toEqual([2]);
      expect(await barrels.select('b').where('b.tenantId = :other', { other: 'acme' }).getCount()).toBe(0);
      expect(await barrels.select('b').where({ id }).getManyAndCount()).toMatchObject([[{ tenantId: globex }], 1]);
    });
    // The database looks at no other rows for it.
    const [sql, parameters] = await as(globex, async () => barrels.select('b').where('b.id = :id', { id }).getQueryAndParameters());
    const plan = await db.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`, parameters);
    expect(plan.rows.map((row) => row['QUERY PLAN']).join()).toContain(`Cond: ((tenant_id = '${globex}'::text) AND (id = '${id}'::text))`);
  });

  it('are kept with deferred writes, as they were when these were pushed', async () => {
    await UnitOfWork.run(db, async () => {
      for (const tenant of ['acme', 'globex']) await as(tenant, async () => notes.push({ text: `${id} of ${tenant}` }));
    });
    const { rows } = await db.query('select tenant_id, text from cellar.note where text like $1 order by 1', [`${id} %`]);
    expect(rows).toEqual([{ tenant_id: 'acme', text: `${id} of acme` }, { tenant_id: 'globex', text: `${id} of globex` }]);
  });

  it('get nothing of each other by mistake: to add it, or to raise an event, is refused', async () => {
    await fill('acme', 1);
    const mixed = UnitOfWork.run(db, async () => {
      const barrel = await as('acme', () => barrels.get(id));
      await expect(as('globex', async () => barrels.add(barrel))).rejects.toThrow(AnotherTenant);
      await as('globex', async () => barrel.announce());
    });
    await expect(mixed).rejects.toThrow(`Barrel "${id}" belongs to the tenant "acme", but Filled was raised by work for "globex".`);
    expect(await stored()).toEqual(['acme 1 v1']);
  });

  it('do not exist where the schema has none', async () => {
    const casks = new AggregateStore(db, CaskSchema, { type: 'cellar.cask' });
    await as('acme', () => UnitOfWork.run(db, async () => casks.add(new Cask(id))));
    expect(await as('globex', () => casks.read(id))).toMatchObject({ id, tenantId: '' });
    expect(() => casks.select('c')).toThrow(UsageError);
    expect(() => new AggregateStore(db, ShelfSchema, { type: 'cellar.shelf' }).table).toThrow(/"tenantId" of the entity schema "Shelf" is not part of its primary key/);
  });
});
