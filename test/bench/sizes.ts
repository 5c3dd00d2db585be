import type pg from 'pg';

/** Bytes of tables with their indexes, by what they are for. */
export interface Sizes {
  /** Per event: those of `outbox` and `log`. */
  readonly perEvent: Readonly<Record<string, number>>;
  /** Per row: those of tables that get a row for every order. */
  readonly perRow: Readonly<Record<string, number>>;
  /** The whole: those whose number of rows does not depend on how many orders there are. */
  readonly whole: Readonly<Record<string, number>>;
}

const SCHEMAS = ['ordering', 'inventory', 'billing', 'reporting'];
const EVENT_TABLES = ['outbox', 'log'];
/** With a row for every order. */
const GROWING = ['ordering.orders', 'inventory.reservations', 'billing.charges'];
/** With rows for every product or customer. */
const STEADY = ['inventory.products', 'billing.accounts', 'reporting.sales'];

/** Of the engine, with rows that come and go: as many as it takes turns. */
const TURN_TABLES = ['cursor', 'sequencer'];

/** Partitions count for the table that they are part of. */
const SIZES = `
  select n.nspname as schema, coalesce(parent.relname, c.relname) as name, sum(pg_total_relation_size(c.oid))::float8 bytes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
  where c.relkind = 'r' and n.nspname = any($1) group by 1, 2`;

/** How large the tables of the application are. */
export async function measureSizes(client: pg.Client): Promise<Sizes> {
  const { rows } = await client.query<{ schema: string; name: string; bytes: number }>(SIZES, [SCHEMAS]);
  const bytesOf = (belongs: (schema: string, name: string) => boolean) => rows.reduce((sum, { schema, name, bytes }) => sum + (belongs(schema, name) ? bytes : 0), 0);
  const events = await count(client, SCHEMAS.map((schema) => `select coalesce(max(n), 0) from ${schema}.log`));
  const orders = await count(client, ['select count(*) from ordering.orders']);
  const table = (full: string) => bytesOf((schema, name) => `${schema}.${name}` === full);
  const domain = new Set([...GROWING, ...STEADY]);
  return {
    perEvent: Object.fromEntries(EVENT_TABLES.map((name) => [name, bytesOf((_, found) => found === name) / Math.max(1, events)])),
    perRow: Object.fromEntries(GROWING.map((name) => [name, table(name) / Math.max(1, orders)])),
    whole: {
      ...Object.fromEntries(STEADY.map((name) => [name, table(name)])),
      ...Object.fromEntries(TURN_TABLES.map((name) => [name, bytesOf((_, found) => found === name)])),
      'other tables of the engine': bytesOf((schema, name) => !EVENT_TABLES.includes(name) && !TURN_TABLES.includes(name) && !domain.has(`${schema}.${name}`)),
    },
  };
}

async function count(client: pg.Client, counts: readonly string[]): Promise<number> {
  const { rows } = await client.query(`select (${counts.map((one) => `(${one})`).join(' + ')})::float8 count`);
  return rows[0].count;
}
