import 'reflect-metadata';
import { withMessage } from '@nestbox/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Count, GetCount, watcher } from './fixtures/counters.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';

describe('the engine in one process', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });

  afterAll(() => app?.stop());

  beforeEach(() => {
    watcher.fail = undefined;
  });

  const sightings = async (counter: string) =>
    (await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);

  it('brings every event to its subscriber, in the order of its aggregate', async () => {
    for (let i = 0; i < 20; i++) await app.commands.execute(new Count('a'));
    await app.settle();
    expect(await sightings('a')).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('stores neither row nor event of a command that fails', async () => {
    await expect(app.commands.execute(new Count('b', true))).rejects.toThrow('asked for a failure');
    await app.settle();
    expect(await app.queries.execute(new GetCount('b'))).toBe(0);
    expect(await sightings('b')).toEqual([]);
  });

  it.each([
    ['is larger than a message of the broker may be', 'x'.repeat(600 * 1024), /larger than 524288 bytes/],
    ['has a character that Postgres cannot store', 'a\u0000b', /0x00|\\u0000|null character/],
  ])('refuses an event that %s, and its command with it', async (_, id, message) => {
    const events = async () => (await app.counting.query('select count(*)::int count from counting.outbox')).rows[0]!['count'] as number;
    const before = await events();
    await expect(app.commands.execute(new Count(id))).rejects.toThrow(message);
    await app.settle();
    expect(await events()).toBe(before);
  });

  it('lets 50 concurrent commands on 5 aggregates all succeed, each exactly once', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => app.commands.execute(new Count(`c${i % 5}`))));
    await app.settle();
    for (let i = 0; i < 5; i++) expect(await sightings(`c${i}`)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('refuses a query that writes', async () => {
    await expect(app.queries.execute(new GetCount('a', true))).rejects.toThrow(/read-only/);
  });

  it('sets aside only the key whose handler fails, and catches up in order', async () => {
    let failing = true;
    watcher.fail = (event) => {
      if (failing && event.id === 'd1') throw new Error('no luck');
    };
    for (let i = 0; i < 3; i++) await Promise.all([app.commands.execute(new Count('d1')), app.commands.execute(new Count('d2'))]);
    await app.settle();
    expect(await sightings('d2')).toEqual([1, 2, 3]);
    expect(await sightings('d1')).toEqual([]);
    failing = false;
    await expect.poll(() => sightings('d1')).toEqual([1, 2, 3]);
    expect((await app.watching.query('select 1 from watching.trouble')).rows).toEqual([]);
  });

  it('shows people which events are on their way, with what travels along', async () => {
    await withMessage({ correlationId: 'corr-1', causationId: 'cause-1', tenantId: 'acme' }, () => app.commands.execute(new Count('shown')));
    await app.settle();
    const { rows } = await app.counting.query("select state, retries, type, schema_version, tenant_id, aggregate_type, aggregate_version::int version, payload, headers from counting.outbox_state where aggregate_id = 'shown'");
    expect(rows).toEqual([
      {
        state: 'SENT', retries: 0, type: 'counting.counted', schema_version: 1, tenant_id: 'acme', aggregate_type: 'counting.counter', version: 1,
        payload: { id: 'shown', value: 1 }, headers: { correlationId: 'corr-1', causationId: 'cause-1', origin: 'counting.count' },
      },
    ]);
  });
});
