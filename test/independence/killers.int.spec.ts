import 'reflect-metadata';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { booked, read, tallied, troubleOf, upTo } from './books.ts';
import { type Deed, MeterModule } from './contexts.ts';
import { Instances } from './instances.ts';

/** Time for processes to die and start again, on a busy machine. */
const OFTEN = { interval: 100 };

describe('an event whose handler is dangerous to its process', () => {
  let app: TestApplication;
  let instances: Instances;

  beforeAll(async () => {
    // The events are raised here; what handles them are processes that may die.
    app = await TestApplication.start([MeterModule]);
    instances = new Instances({ DATABASE_URL: app.database.url, STALL_MAX_MS: '1500' });
    await instances.start(2);
  });

  afterAll(async () => {
    await instances?.stop();
    await app?.stop();
  });

  const db = () => app.db('meter');
  const danger = async (meter: string, deed: Deed) => {
    const started = performance.now();
    await read(app, meter, 1, deed);
    await read(app, meter, 2);
    const others = Array.from({ length: 40 }, (_, index) => `beside ${meter} ${index}`);
    await Promise.all(others.map((other) => read(app, other, 3)));
    await Promise.all(others.map(async (other) => { await expect.poll(() => booked(db(), other), OFTEN).toEqual(upTo(3)); }));
    await Promise.all(others.map(async (other) => { await expect.poll(() => tallied(db(), other), OFTEN).toBe(3); }));
    await expect.poll(async () => (await troubleOf(db(), meter)).length > 0, OFTEN).toBe(true);
    console.log(`"${deed}": everything else was handled after ${Math.round(performance.now() - started)} ms; ${instances.deaths} processes have died so far.`);
    expect(await booked(db(), meter)).toEqual([]);
    return (await troubleOf(db(), meter)).filter(({ handler }) => handler === 'BookReading');
  };
  const killed = { state: 'dead', error: { name: 'KillsTheProcess', message: expect.stringMatching(/^It killed the process/) } };

  it('which it kills: set aside with that reason, the others flow', async () => {
    expect(await danger('killer', 'kill')).toMatchObject([killed, { state: 'queued' }, { state: 'queued' }]);
  });

  it('which kills it again when a person replays it: dead once more, and nobody else is blamed', async () => {
    const before = instances.deaths;
    await db().query("update ledger.trouble set request = 'replay', asked = asked + 1 where handler = 'BookReading' and key like '%/killer' and state = 'dead'");
    await expect.poll(() => instances.deaths, OFTEN).toBe(before + 2);
    await expect.poll(async () => (await troubleOf(db(), 'killer')).every(({ state }) => state !== 'head'), OFTEN).toBe(true);
    expect((await troubleOf(db(), 'killer')).filter(({ handler }) => handler === 'BookReading')).toMatchObject([killed, { state: 'queued' }, { state: 'queued' }]);
    const { rows } = await db().query('select distinct key from ledger.trouble');
    expect(rows).toEqual([{ key: 'default/meter.meter/killer' }]);
  });

  it('which it blocks for a minute: another process goes on without it, and knows the place in the code', async () => {
    expect(await danger('blocker', 'block 60000')).toMatchObject([
      { state: 'dead', error: { name: 'BlockedEventLoop', message: expect.stringMatching(/BookReading of "ledger" blocked the event loop .* spin \(.*contexts\.ts/) } },
      { state: 'queued' },
      { state: 'queued' },
    ]);
    expect(await tallied(db(), 'blocker')).toBe(3);
  });
});
