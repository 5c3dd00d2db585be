import { ContextDatabase, type MigrationClass } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import type { EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CreateAccounts } from './billing/migrations/create-accounts.js';
import { AccountSchema } from './billing/repositories/account.schema.js';
import { ChargeSchema } from './billing/repositories/charge.schema.js';
import { CreateStock } from './inventory/migrations/create-stock.js';
import { ProductSchema } from './inventory/repositories/product.schema.js';
import { ReservationSchema } from './inventory/repositories/reservation.schema.js';
import { CreateOrders } from './ordering/migrations/create-orders.js';
import { OrderSchema } from './ordering/repositories/order.schema.js';
import { CreateSales } from './reporting/migrations/create-sales.js';
import { SalesSchema } from './reporting/repositories/sales.schema.js';

/** Postgres' long names of the types that entity schemas name shortly. */
const TYPES: Readonly<Record<string, string>> = { int: 'integer' };

const contexts: readonly [context: string, migration: MigrationClass, ...entities: EntitySchema[]][] = [
  ['ordering', CreateOrders, OrderSchema],
  ['inventory', CreateStock, ProductSchema, ReservationSchema],
  ['billing', CreateAccounts, AccountSchema, ChargeSchema],
  ['reporting', CreateSales, SalesSchema],
];

describe.each(contexts)('the migrations of %s', (context, migration, ...entities) => {
  let database: TestDatabase;
  let db: ContextDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context, url: database.url, entities, migrations: [migration] });
    await db.open();
    await db.migrate();
  });
  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  /** `table.column type null?` of everything in the schema except the list of migrations. */
  const columns = async () => {
    const { rows } = await db.query<{ line: string }>(
      `select table_name || '.' || column_name || ' ' || data_type || case is_nullable when 'YES' then ' null' else '' end line
       from information_schema.columns where table_schema = $1 and table_name <> 'migrations' order by 1`,
      [context],
    );
    return rows.map(({ line }) => line);
  };

  it('make the tables that the entity schemas describe', async () => {
    const described = db.dataSource.entityMetadatas.flatMap((entity) =>
      entity.columns.map((column) => `${entity.tableName}.${column.databaseName} ${TYPES[String(column.type)] ?? String(column.type)}${column.isNullable ? ' null' : ''}`),
    );
    expect((await columns()).toSorted()).toEqual(described.toSorted());
  });

  it('can be undone and done again', async () => {
    const before = await columns();
    await db.revert();
    expect(await columns()).toEqual([]);
    await db.migrate();
    expect(await columns()).toEqual(before);
  });
});
