import 'reflect-metadata';
import { Aggregate } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledTable } from './compiled-table.js';
import { ContextDatabase } from './context-database.js';

class Thing extends Aggregate {
  constructor(
    readonly id: string,
    readonly count: number | null,
    readonly open: boolean,
    readonly parts: unknown,
    readonly since: Date | string,
    readonly codes: string[],
    readonly secret: string,
    readonly size: { readonly width: number },
  ) {
    super();
  }
}

const ThingSchema = new EntitySchema<Thing>({
  name: 'Thing', target: Thing, tableName: 'thing', schema: 'shop',
  columns: {
    id: { type: 'uuid', primary: true }, version: { type: 'int' }, count: { type: 'bigint', nullable: true }, open: { type: 'boolean' }, parts: { type: 'jsonb', nullable: true },
    since: { type: 'timestamptz' }, codes: { type: 'simple-array' }, secret: { type: 'text', transformer: { to: (value: string) => value.toUpperCase(), from: (value: string) => value.toLowerCase() } },
  },
  embeddeds: { size: { schema: new EntitySchema({ name: 'Size', columns: { width: { type: 'int' } } }), prefix: 'size_' } },
});

describe('parameters of an aggregate', () => {
  let database: TestDatabase;
  let db: ContextDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, entities: [ThingSchema] });
    await db.open();
  });

  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  it.each([
    ['values', new Thing('01890a5d-ac96-774b-bcce-b302099a8057', 7, true, [{ a: 1 }], '2026-01-01T00:00:00.000Z', ['a', 'b'], 'quiet', { width: 3 })],
    ['nothing where that may be', new Thing('01890a5d-ac96-774b-bcce-b302099a8057', null, false, null, new Date(0), [], '', { width: 0 })],
    ['nothing in JSON, and what is false', new Thing('01890a5d-ac96-774b-bcce-b302099a8057', 0, false, false, new Date(0), [], '', { width: 0 })],
  ])('are what TypeORM would send: %s', (_, thing) => {
    const { columns } = db.dataSource.getMetadata(ThingSchema);
    const expected = columns.map((column) => db.dataSource.driver.preparePersistentValue(column.getEntityValue(thing), column));
    expect(new CompiledTable(db.dataSource, ThingSchema).values(thing)).toEqual(expected);
    expect(expected).toHaveLength(9);
  });
});
