import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { laneOf } from './lanes.js';

/** At one batch per slow poll, this many events of one lane would need a minute. */
const EVENTS = 5_000;

let counting: CountingApp;
beforeAll(async () => {
  counting = await startCountingApp();
});
afterAll(() => counting.stop());

it('drains the backlog of one aggregate at once, without waiting for the slow poll between two batches', async () => {
  await counting.counting.query(
    `insert into counting.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     select gen_random_uuid(), 'default', $1, 'counting.counter', 'one', v, 'counting.counted', 1, jsonb_build_object('id', 'one', 'value', v), '{"correlationId":"backlog"}'
     from generate_series(1, $2) v order by v`,
    [laneOf('default', 'counting.counter', 'one'), EVENTS],
  );
  await counting.settle();
  const { rows } = await counting.watching.query('select count(*)::int seen, count(*) filter (where value <> seq)::int misplaced from watching.sighting');
  expect(rows[0]).toEqual({ seen: EVENTS, misplaced: 0 });
});
