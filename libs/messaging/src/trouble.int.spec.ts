import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count, watcher } from './fixtures/counters.js';
import { MAX_ATTEMPTS } from './trouble.js';

describe('an event that keeps failing', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });

  afterAll(() => app?.stop());

  afterEach(() => {
    watcher.fail = undefined;
  });

  const sightings = async (counter: string) =>
    (await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);
  const trouble = async () => (await app.watching.query('select n, handler, key, state, attempts, error from watching.trouble order by n')).rows;
  const count = async (id: string, times: number) => {
    for (let i = 0; i < times; i++) await app.commands.execute(new Count(id));
  };
  const failFor = (id: string) => {
    watcher.fail = (event) => {
      if (event.id === id) throw new Error(`cannot stand ${id}`);
    };
  };
  it('is dead after 5 attempts, with its reason, and the later ones of its key wait in order', async () => {
    failFor('x');
    await count('x', 3);
    await count('y', 2);
    await app.settle();
    await app.app.clock.advance('5m');
    const rows = await trouble();
    expect(rows.map((row) => row['state'])).toEqual(['dead', 'queued', 'queued']);
    expect(rows[0]).toMatchObject({ handler: 'NoteWhenCounted', key: 'default/counting.counter/x', attempts: MAX_ATTEMPTS, error: { message: 'cannot stand x' } });
    expect(await sightings('y')).toEqual([1, 2]);
    expect(await sightings('x')).toEqual([]);
  });

  it('goes on in order once a person asks for a replay', async () => {
    await app.watching.query("update watching.trouble set request = 'replay' where state = 'dead'");
    await expect.poll(() => sightings('x')).toEqual([1, 2, 3]);
    await count('x', 1);
    await expect.poll(() => sightings('x')).toEqual([1, 2, 3, 4]);
    expect(await trouble()).toEqual([]);
  });

  it('is left out when a person skips it, and what waits behind it goes on', async () => {
    failFor('z');
    await count('z', 3);
    await app.settle();
    await app.app.clock.advance('5m');
    watcher.fail = undefined;
    await app.watching.query("update watching.trouble set request = 'skip' where state = 'dead'");
    await expect.poll(() => sightings('z')).toEqual([2, 3]);
  });

  it('is replayed as a person has edited it', async () => {
    failFor('e');
    await count('e', 1);
    await app.settle();
    await app.app.clock.advance('5m');
    await app.watching.query(`update watching.trouble set request = 'replay', edited = jsonb_set(event, '{payload,id}', '"edited"') where state = 'dead'`);
    await expect.poll(() => sightings('edited')).toEqual([1]);
    expect(await sightings('e')).toEqual([]);
  });

  it('does not stop the other reader of the same event', async () => {
    const { rows } = await app.watching.query("select seen from watching.total where counter = 'e'");
    expect(rows).toEqual([{ seen: 1 }]);
  });

  it('waits when its version is not known here, instead of being guessed at', async () => {
    await app.counting.query("alter table counting.outbox alter column schema_version set default 9");
    await app.counting.query(`insert into counting.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, payload, headers)
      values (gen_random_uuid(), 'default', 1, 'counting.counter', 'v', 1, 'counting.counted', '{"id":"v","value":1}', '{"correlationId":"v"}')`);
    await expect.poll(async () => (await trouble()).find((row) => row['key'] === 'default/counting.counter/v')?.['error']).toMatchObject({ name: 'UnknownEventVersion' });
    expect(await sightings('v')).toEqual([]);
  });
});
