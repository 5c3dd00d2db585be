import 'reflect-metadata';
import { uuidv7, withMessage } from '@nestbox/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count } from './fixtures/counters.js';
import { Operator } from './operations/operator.js';

describe('a machine whose clock is wrong', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });

  afterEach(() => vi.useRealTimers());

  afterAll(() => app?.stop());

  it.each(['1999-01-01', '2199-01-01'])('keeps its lanes, handles its events and tells their story: %s', async (now) => {
    const members = async () => (await app.watching.query('select distinct instance from nb.member where until > clock_timestamp()')).rows;
    const before = await members();
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(now) });
    const correlationId = uuidv7();
    await withMessage({ correlationId, tenantId: 'default' }, async () => {
      for (let i = 0; i < 3; i++) await app.commands.execute(new Count(now));
    });
    await app.settle();
    const { rows } = await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [now]);
    expect(rows.map((row) => row['value'])).toEqual([1, 2, 3]);
    expect(await members()).toEqual(before);
    const stored = await app.counting.query<{ near: boolean }>("select abs(extract(epoch from clock_timestamp() - created_at)) < 3600 near from counting.outbox where aggregate_id = $1", [now]);
    expect(stored.rows.every(({ near }) => near)).toBe(true);
    expect(await app.app.get(Operator).trace(correlationId)).toMatchObject({ count: 3 });
  });
});
