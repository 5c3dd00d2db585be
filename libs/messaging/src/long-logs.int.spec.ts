import 'reflect-metadata';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogSource } from './log-source.js';
import { messagingTables } from './messaging-tables.js';
import { sequencerSql } from './sequencer-sql.js';
import { LocalWakeUps } from './wake-ups.js';

/** As many as fit into the first partition with some room for the tests. */
const EVENTS = 990_000;
/** Lanes with events; nothing has ever happened in the others. */
const BUSY = 4;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

describe('an outbox and a log of a million events', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let holder: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 3, enginePoolSize: 3 });
    await db.open();
    await db.migrate();
    await db.query(
      `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       select gen_random_uuid(), 'default', i % ${BUSY}, 'shop.thing', (i % 1000)::text, i / 1000 + 1, 'shop.happened', 1, '{}', '{}' from generate_series(0, $1) i`,
      [EVENTS - 1],
    );
    await db.query(`insert into shop.log (n, lane, prev, position) select row_number() over (order by position), lane, greatest(0, row_number() over (order by position) - ${BUSY}), position from shop.outbox`);
    await db.query(`update shop.sequencer set head = $1, heads = (select array_agg(coalesce((select max(n) from shop.log where lane = l), 0) order by l) from generate_series(0, 31) l)`, [EVENTS]);
    for (const table of ['outbox', 'log']) await db.query(`analyze shop.${table}`);
    holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
  });

  afterAll(async () => {
    await holder?.end();
    await db?.close();
    await database?.drop();
  });

  /** Runs a statement and tells how it went, node by node. */
  const explain = async (text: string, values: readonly unknown[]) => {
    const { rows } = await db.enginePool.query(`explain (analyze, buffers, format json) ${text}`, values as unknown[]);
    const flat = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];
    return flat(rows[0]['QUERY PLAN'][0].Plan as Plan);
  };
  const looked = (plans: readonly Plan[]) =>
    plans.filter((plan) => plan['Relation Name']).reduce((sum, plan) => sum + (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'], 0);
  const insert = (aggregate: string, version = 1) =>
    `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     values (gen_random_uuid(), 'default', 5, 'shop.thing', '${aggregate}', ${version}, 'shop.happened', 1, '{}', '{}')`;

  it('are not searched for what is new: the sequencer looks at the new events alone, also beside an old transaction', async () => {
    await holder.query('begin');
    await holder.query(insert('old'));
    await db.query(insert('between'));
    await db.query("update shop.sequencer set snap = pg_current_snapshot()");
    await db.query(insert('new'));
    const { rows } = await db.query<{ gen: string; xmax: string; running: string[] }>('select gen, pg_snapshot_xmax(snap)::text xmax, array(select pg_snapshot_xip(snap))::text[] running from shop.sequencer order by gen desc limit 1');
    const { gen, xmax, running } = rows[0]!;
    // More than one when tests of other databases write at the same moment.
    expect(running.length).toBeGreaterThan(0);
    const { lookCloser, advance } = sequencerSql('shop');
    for (const plans of [await explain(lookCloser, [xmax, running]), await explain(advance, [gen, '00000000-0000-7000-8000-000000000000', xmax, running])]) {
      expect(plans.filter((plan) => plan['Node Type'] === 'Seq Scan' && /^(outbox|log)_p/.test(plan['Relation Name'] ?? '') && plan['Actual Rows'] > 0)).toEqual([]);
      expect(plans.filter((plan) => plan['Index Name']?.includes('_pkey') && plan['Relation Name']?.startsWith('outbox'))).toEqual([]);
      expect(looked(plans)).toBeLessThan(100);
    }
    await holder.query('rollback');
  });

  it('are read from a position on: a reader looks at what it fetches alone, wherever it stands, and at nothing of lanes that are idle', async () => {
    const positions = (n: number) => Array.from({ length: 32 }, (_, lane) => ({ lane, n }));
    const source = new LogSource(db, new LocalWakeUps());
    for (const from of [0, EVENTS / 2, EVENTS]) {
      const { length: events } = [...(await source.fetch(positions(from), 50)).values()].flat();
      expect(events >= BUSY * 50).toBe(from < EVENTS);
      const plans = await explain((source as unknown as { sql: string }).sql, [positions(from).map(({ lane }) => lane), positions(from).map(({ n }) => n), 50]);
      expect(looked(plans)).toBeLessThanOrEqual(events * 4 + 500);
    }
  });

  it('cost a step of a lane no more after 24,000 steps beside a transaction that stays open', async () => {
    const reader = 'steps';
    await db.query("insert into shop.cursor (reader, source, lane, gen, n) values ($1, 'shop', 0, 0, 0)", [reader]);
    await holder.query('begin');
    await holder.query('select pg_current_xact_id()');
    const newest = 'select gen, n from shop.cursor where reader = $1 and source = $2 and lane = 0 order by gen desc limit 1';
    const blocks = async () => {
      const [whole] = await explain(newest, [reader, 'shop']);
      return whole!['Shared Hit Blocks'] + whole!['Shared Read Blocks'];
    };
    const before = await blocks();
    await db.query("insert into shop.cursor (reader, source, lane, gen, n) select $1, 'shop', 0, g, g from generate_series(1, 24000) g", [reader]);
    for (const rest of [12_000, 100]) await db.query('delete from shop.cursor where reader = $1 and gen < 24000 - $2::bigint', [reader, rest]);
    // The index has grown by a level or two; a row that is updated in place would leave 24,000 versions to step over.
    expect(await blocks()).toBeLessThanOrEqual(before + 5);
    const { rows } = await db.query<{ n: string }>(newest, [reader, 'shop']);
    expect(Number(rows[0]!.n)).toBe(24_000);
    await holder.query('rollback');
  });
});
