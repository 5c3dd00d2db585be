import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Engine } from './engine.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count } from './fixtures/counters.js';

/** How long to watch, in ms. */
const WATCHED = 3_000;
const LOOK_EVERY = 10;

describe.each(['in-process', 'nats'] as const)('a process with nothing to do (events: %s)', (events) => {
  let database: TestDatabase;
  let app: CountingApp;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await startCountingApp({ on: database, messaging: { events }, nats: { NATS_NAMESPACE: database.name } });
    await app.commands.execute(new Count('a'));
    await app.settle();
    await sleep(1_500);
  });

  afterAll(async () => {
    await app?.stop();
    await database?.drop();
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('sends one statement a second, its heartbeat, for all its contexts and readers', async () => {
    const observer = new pg.Client({ connectionString: database.url });
    await observer.connect();
    const sent = vi.spyOn(pg.Client.prototype, 'query');
    // The thread of the heartbeat sends nothing that does not renew the lease.
    const renewals = new Set<string>();
    const until = performance.now() + WATCHED;
    while (performance.now() < until) {
      const { rows } = await observer.query('select xmin::text from nb.member');
      for (const row of rows) renewals.add(row.xmin);
      await sleep(LOOK_EVERY);
    }
    const others = sent.mock.contexts.filter((client) => client !== observer).length;
    await observer.end();
    // The first look has found one that was made before.
    const heartbeats = renewals.size - 1;
    console.log(`${heartbeats} heartbeats and ${others} other statements in ${WATCHED / 1000} s.`);
    expect(others).toBe(0);
    expect(heartbeats).toBeGreaterThan(0);
    expect(heartbeats).toBeLessThanOrEqual(WATCHED / 1000);
  });

  it('still finds an event that nobody has announced', async () => {
    await app.counting.query(`insert into counting.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
      values (gen_random_uuid(), 'default', 5, 'counting.counter', 'silent', 1, 'counting.counted', 1, '{"id":"silent","value":1}', '{"correlationId":"silent"}')`);
    await expect.poll(async () => (await app.watching.query("select value from watching.sighting where counter = 'silent'")).rows).toEqual([{ value: 1 }]);
    expect(app.app.get(Engine).state().readers.every(({ lanes }) => lanes.length === 32)).toBe(true);
  });
});
