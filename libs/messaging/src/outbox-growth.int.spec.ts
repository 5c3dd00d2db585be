import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';

const EVENTS = 100_000;
/** Events of one statement: as many commands would have written. */
const AT_ONCE = 1_000;
/** Generations of a lane and of the sequencer that may be there at a time: those kept, and what came since the last pruning. */
const MANY = 3_000;

describe('an outbox that 100,000 events have gone through', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
    for (let at = 0; at < EVENTS; at += AT_ONCE) {
      await app.counting.query(
        `insert into counting.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
         select gen_random_uuid(), 'default', v % 32, 'counting.counter', 'c' || v % 320, ${at} / 320 + v / 320 + 1, 'counting.counted', 1,
           json_build_object('id', 'c' || v % 320, 'value', ${at} + v), json_build_object('correlationId', gen_random_uuid())
         from generate_series(0, ${AT_ONCE - 1}) v order by v`,
      );
    }
    const handled = async () => (await app.watching.query('select sum(seen)::int as seen from watching.total')).rows[0]!['seen'];
    await vi.waitUntil(async () => (await handled()) === EVENTS, { timeout: 100_000, interval: 200 });
  });

  afterAll(() => app?.stop());

  interface Statistics extends Record<string, unknown> {
    readonly inserted: number;
    readonly updated: number;
    readonly deleted: number;
    readonly dead: number;
  }
  const statistics = async (table: string): Promise<Statistics> => {
    const { rows } = await app.counting.query<Statistics>(
      `select sum(n_tup_ins)::int inserted, sum(n_tup_upd)::int updated, sum(n_tup_del)::int deleted, sum(n_dead_tup)::int dead
       from pg_stat_user_tables where schemaname = 'counting' and relname like '${table}_p%'`,
    );
    return rows[0]!;
  };

  it('has no dead row, nor has its log: nothing was ever updated or deleted', async () => {
    for (const table of ['outbox', 'log']) {
      await expect.poll(() => statistics(table)).toEqual({ inserted: EVENTS, updated: 0, deleted: 0, dead: 0 });
    }
  });

  it('has left a bounded history behind: generations are pruned, attempts and members are gone', async () => {
    const count = async (from: string) => Number((await app.watching.query(`select count(*) from ${from}`)).rows[0]!['count']);
    expect(await count('counting.sequencer')).toBeLessThan(MANY);
    const { rows } = await app.watching.query<{ most: number }>('select max(count)::int most from (select count(*) from watching.cursor group by reader, source, lane) lanes');
    expect(rows[0]!.most).toBeLessThan(MANY);
    expect(await count('watching.attempt')).toBe(0);
    expect(await count('(select distinct instance from nb.member) m')).toBe(1);
  });
});
