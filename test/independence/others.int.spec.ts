import 'reflect-metadata';
import { TestApplication } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { booked, EVENTUALLY, read, upTo } from './books.ts';
import { LedgerModule, MeterModule } from './contexts.ts';
import { Instances } from './instances.ts';

const METERS = 40;
const ROUNDS = 50;

describe('what somebody else does', () => {
  let app: TestApplication;

  beforeAll(async () => {
    app = await TestApplication.start([MeterModule, LedgerModule]);
  });

  afterAll(() => app?.stop());

  const ledger = () => app.db('ledger');
  /** 2,000 commands, each with a transaction of its own. */
  const twoThousand = async (name: string) => {
    const meters = Array.from({ length: METERS }, (_, index) => `${name} ${index}`);
    await Promise.all(meters.map(async (meter) => {
      for (let round = 0; round < ROUNDS; round++) await read(app, meter);
    }));
    return meters;
  };
  const allBooked = async (meters: readonly string[]) => {
    for (const meter of meters) await expect.poll(() => booked(ledger(), meter), EVENTUALLY).toEqual(upTo(ROUNDS));
  };

  /** Tables of which rows were updated; of lanes' positions, if more than were appended: a batch that runs out of time corrects the one that it has appended itself. */
  const updated = async () =>
    (await ledger().query<{ relname: string }>(`select relname from pg_stat_user_tables where schemaname in ('meter', 'ledger') and relname ~ '^(outbox|log)_p|^(sequencer|cursor|trouble)$'
      and n_tup_upd > case relname when 'cursor' then n_tup_ins else 0 end`)).rows;

  it('a transaction left open delays its own events only, while 2,000 others commit, and no event is updated', async () => {
    const open = new pg.Client({ connectionString: app.database.url });
    await open.connect();
    await open.query('begin');
    await open.query(`insert into meter.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
      select gen_random_uuid(), 'default', lane, 'meter.meter', 'late', lane + 1, 'meter.reading-taken', 1, json_build_object('meter', 'late ' || lane, 'value', 1, 'deed', 'book'), '{"correlationId":"late"}'
      from generate_series(0, 31) lane`);
    try {
      await allBooked(await twoThousand('during'));
      expect(await updated()).toEqual([]);
      expect(await booked(ledger(), 'late 0')).toEqual([]);
      await open.query('commit');
    } finally {
      await open.end();
    }
    for (let lane = 0; lane < 32; lane++) await expect.poll(() => booked(ledger(), `late ${lane}`), EVENTUALLY).toEqual([1]);
  });

  it('a subscriber that is down delays no other, and catches up in order', async () => {
    const audits = new Instances({ DATABASE_URL: app.database.url, SUBSCRIBER: 'audit' });
    await audits.start(1);
    const audited = async (meter: string) => (await ledger().query<{ value: number }>('select value from audit.entry where meter = $1 order by seq', [meter])).rows.map(({ value }) => value);
    await read(app, 'before');
    await expect.poll(() => audited('before'), EVENTUALLY).toEqual([1]);
    await audits.stop();
    const meters = await twoThousand('without');
    await allBooked(meters);
    expect(await audited(meters[0]!)).toEqual([]);
    const again = new Instances({ DATABASE_URL: app.database.url, SUBSCRIBER: 'audit' });
    await again.start(1);
    for (const meter of meters) await expect.poll(() => audited(meter), EVENTUALLY).toEqual(upTo(ROUNDS));
    await again.stop();
  });
});
