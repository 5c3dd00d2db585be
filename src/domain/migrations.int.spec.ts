import { ContextDatabase, type MigrationClass } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import type { EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CreateAccounts } from './billing/migrations/create-accounts.js';
import { GiveAccountsToTenants } from './billing/migrations/give-accounts-to-tenants.js';
import { AccountSchema } from './billing/repositories/account.schema.js';
import { ChargeSchema } from './billing/repositories/charge.schema.js';
import { CreateStock } from './inventory/migrations/create-stock.js';
import { GiveStockToTenants } from './inventory/migrations/give-stock-to-tenants.js';
import { ProductSchema } from './inventory/repositories/product.schema.js';
import { ReservationSchema } from './inventory/repositories/reservation.schema.js';
import { CreateOrders } from './ordering/migrations/create-orders.js';
import { GiveOrdersToTenants } from './ordering/migrations/give-orders-to-tenants.js';
import { OrderSchema } from './ordering/repositories/order.schema.js';
import { CreateSales } from './reporting/migrations/create-sales.js';
import { GiveSalesToTenants } from './reporting/migrations/give-sales-to-tenants.js';
import { SalesSchema } from './reporting/repositories/sales.schema.js';

/** Postgres' long names of the types that entity schemas name shortly. */
const TYPES: Readonly<Record<string, string>> = { int: 'integer' };

const contexts: readonly [context: string, migrations: readonly MigrationClass[], ...entities: EntitySchema[]][] = [
  ['ordering', [CreateOrders, GiveOrdersToTenants], OrderSchema],
  ['inventory', [CreateStock, GiveStockToTenants], ProductSchema, ReservationSchema],
  ['billing', [CreateAccounts, GiveAccountsToTenants], AccountSchema, ChargeSchema],
  ['reporting', [CreateSales, GiveSalesToTenants], SalesSchema],
];

/** A row of every table, as it was before there were tenants. */
const ROWS: Readonly<Record<string, string>> = {
  orders: "insert into ordering.orders values (gen_random_uuid(), 'c', 'PO-1', 'placed', null, '[]', 0, 'USD', '[]', 1)",
  products: "insert into inventory.products values ('p', 'P', 1, 0, 1)",
  reservations: "insert into inventory.reservations values (gen_random_uuid(), 'held', '[]', 1)",
  accounts: "insert into billing.accounts values ('c', null, 0, 'USD', 1)",
  charges: "insert into billing.charges values (gen_random_uuid(), 'c', 'authorised', 0, 'USD', 1)",
  sales: "insert into reporting.sales values ('c', 'USD', 1, 1, 1)",
};

describe.each(contexts)('the migrations of %s', (context, migrations, ...entities) => {
  let database: TestDatabase;
  let db: ContextDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context, url: database.url, entities, migrations });
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

  it('give what is there to the default tenant, and mix nobody\'s rows when they are undone', async () => {
    const tables = entities.map(({ options }) => options.tableName!);
    await db.revert();
    const earlier = new ContextDatabase({ context, url: database.url, entities, migrations: migrations.slice(0, 1) });
    await earlier.open();
    await earlier.migrate();
    for (const table of tables) await db.query(ROWS[table]!);
    await earlier.close();
    await db.migrate();
    for (const table of tables) {
      expect((await db.query(`select tenant_id from ${context}.${table}`)).rows).toEqual([{ tenant_id: 'default' }]);
      // The same row of somebody else is another one.
      await db.query(`insert into ${context}.${table} select (jsonb_populate_record(t, '{"tenant_id": "acme"}')).* from ${context}.${table} t`);
      await expect(db.revert(), table).rejects.toThrow(/_have_one_tenant/);
      await db.query(`delete from ${context}.${table} where tenant_id <> 'default'`);
    }
    await db.revert();
    await db.migrate();
  });

  it('begin every key and index with the tenant', async () => {
    const { rows } = await db.query<{ definition: string }>("select indexdef definition from pg_indexes where schemaname = $1 and tablename <> 'migrations'", [context]);
    expect(rows.length).toBeGreaterThanOrEqual(entities.length);
    expect(rows.filter(({ definition }) => !definition.includes('(tenant_id, '))).toEqual([]);
  });
});
