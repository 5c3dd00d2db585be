import 'reflect-metadata';
import { withMessage } from '@nestbox/kernel';
import type { ContextDatabase } from '@nestbox/persistence';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count, watcher } from './fixtures/counters.js';

/**
 * What was committed without this process learning of it (the answer was lost, or the next statement failed) belongs
 * to it all the same. It has to take it up again: nobody else will, as long as this process lives.
 */
describe('work that was left half done by a failing database', () => {
  let app: CountingApp;
  let counted = 0;

  beforeAll(async () => {
    app = await startCountingApp();
  });

  afterAll(() => app?.stop());

  afterEach(() => {
    watcher.fail = undefined;
  });

  /** One counter of each of many tenants, so that they spread over all lanes. */
  const everywhere = Array.from({ length: 60 }, (_, i) => `k${i}`);
  const count = (id: string) => withMessage({ correlationId: id, causationId: id, tenantId: id }, () => app.commands.execute(new Count(id)));
  const countEverywhere = async () => {
    for (const id of everywhere) await count(id);
    counted += 1;
  };
  const expectAllSeenInOrder = async () => {
    await app.settle();
    const { rows } = await app.watching.query('select counter, array_agg(value order by seq) as values from watching.sighting where counter = any($1) group by counter order by counter', [everywhere]);
    expect(rows).toEqual(everywhere.toSorted().map((counter) => ({ counter, values: Array.from({ length: counted }, (_, i) => i + 1) })));
  };
  const expire = () => app.watching.query("update nb.member set until = clock_timestamp() - interval '1 s'");
  const owned = () => app.app.get(Engine).state().readers.map(({ lanes }) => lanes.length);
  const whileAway = async (db: ContextDatabase, table: string, work: () => Promise<void>) => {
    await db.query(`alter table "${db.schema}".${table} rename to ${table}_away`);
    await work();
    await db.query(`alter table "${db.schema}".${table}_away rename to ${table}`);
  };

  it('a lane that was taken, but not looked at, is taken up', async () => {
    await expect.poll(owned).toEqual([32, 32]);
    const taken = async () => (await app.watching.query('select count(*)::int count from watching.cursor where owner in (select instance from nb.member where until > clock_timestamp())')).rows[0]!['count'];
    // What the second statement needs, and the first one does not.
    await app.watching.query('alter table watching.trouble rename column handler to handler_away');
    await expire();
    await expect.poll(taken).toBe(64);
    expect(owned()).toEqual([0, 0]);
    await app.watching.query('alter table watching.trouble rename column handler_away to handler');
    await countEverywhere();
    await expectAllSeenInOrder();
    await expect.poll(owned).toEqual([32, 32]);
  });

  it('a lane that was moved by a transaction whose commit was not answered is taken up behind it', async () => {
    await app.watching.query(
      `insert into watching.cursor select reader, source, lane, gen + 1, n, owner from (select distinct on (reader, lane) * from watching.cursor order by reader, lane, gen desc) newest`,
    );
    await countEverywhere();
    await expectAllSeenInOrder();
  });

  it('a sequencer whose statement failed goes on', async () => {
    await whileAway(app.counting, 'log', async () => {
      await countEverywhere();
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    await expectAllSeenInOrder();
  });

  it('a sequencer that numbered without learning of it goes on behind', async () => {
    await app.counting.query('insert into counting.sequencer select gen + 1, owner, snap, head, heads, system_id, timeline, incarnation from counting.sequencer order by gen desc limit 1');
    await countEverywhere();
    await expectAllSeenInOrder();
  });

  it('events that had been fetched when the lease ran out are handled after all', async () => {
    // So much that every lane ends a transaction, with more to do, between the loss and the moment when it is noticed.
    watcher.fail = () => new Promise((resolve) => setTimeout(resolve, 4));
    await app.counting.query(`insert into counting.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
      select gen_random_uuid(), 'default', lane, 'counting.counter', 'long' || lane, value, 'counting.counted', 1, jsonb_build_object('id', 'long' || lane, 'value', value), '{"correlationId":"long"}'
      from generate_series(1, 250) value, generate_series(0, 7) lane order by value`);
    await expect.poll(async () => (await app.watching.query("select 1 from watching.sighting where counter like 'long%' limit 1")).rows.length).toBe(1);
    await expire();
    await app.settle();
    const { rows } = await app.watching.query("select counter, array_agg(value order by seq) as values from watching.sighting where counter like 'long%' group by counter order by counter");
    expect(rows).toEqual(Array.from({ length: 8 }, (_, lane) => ({ counter: `long${lane}`, values: Array.from({ length: 250 }, (_unused, i) => i + 1) })));
  });
});
