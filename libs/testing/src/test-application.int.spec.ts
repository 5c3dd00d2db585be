import 'reflect-metadata';
import { Clock, SystemClock, withMessage } from '@nestbox/kernel';
import { ContextModule } from '@nestbox/messaging';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Count, type Counted, CountingModule, NoteWhenCounted, WatchingModule } from '../../messaging/src/fixtures/counters.js';
import type { HandlerFaults } from './handler-faults.js';
import { TestApplication } from './test-application.js';

describe.each(['in-process', 'nats'] as const)('an application in a test, with events %s', (events) => {
  let app: TestApplication;
  let faults: HandlerFaults<Counted>;

  beforeAll(async () => {
    app = await TestApplication.start([CountingModule, WatchingModule], { now: new Date('2026-03-01T12:00:00Z'), topology: { events } });
  });

  afterEach(() => faults?.remove());

  afterAll(() => app?.stop());

  const sightings = async (counter: string) =>
    (await app.db('watching').query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);
  const trouble = async () => (await app.db('watching').query('select n, state, attempts from watching.trouble order by n')).rows;

  it('answers a command with its result and all it has led to, once that is handled', async () => {
    const { result, events } = await app.execute(new Count('a'));
    expect(result).toEqual({ value: 1 });
    expect(events).toMatchObject([{ type: 'counting.counted', aggregateId: 'a', payload: { value: 1 }, handled: true }]);
    expect(await sightings('a')).toEqual([1]);
    await withMessage({ correlationId: 'c', tenantId: 'acme' }, () => app.execute(new Count('of acme')));
    expect((await app.db('counting').query("select tenant_id from counting.outbox where aggregate_id = 'of acme'")).rows).toEqual([{ tenant_id: 'acme' }]);
  });

  it('drops duplicates before they reach a handler', async () => {
    faults = app.faults(NoteWhenCounted).duplicate();
    for (let i = 0; i < 5; i++) await app.execute(new Count('twice'));
    expect(faults.injected.duplicates).toBeGreaterThanOrEqual(5);
    expect(faults.given).toMatchObject([1, 2, 3, 4, 5].map((value) => ({ id: 'twice', value })));
    expect(await sightings('twice')).toEqual([1, 2, 3, 4, 5]);
  });

  it('refuses events that arrive out of order until they arrive in order', async () => {
    faults = app.faults(NoteWhenCounted).reorder(2);
    await Promise.all([1, 2, 3, 4].map(() => app.commands.execute(new Count('swapped'))));
    await app.settled();
    expect(faults.injected.reorderings).toBe(2);
    expect(await sightings('swapped')).toEqual([1, 2, 3, 4]);
  });

  it('sets an event aside when its handler fails, and runs its retries as the time passes', async () => {
    faults = app.faults(NoteWhenCounted).fail((event) => event.id === 'late');
    const { events } = await app.execute(new Count('late'));
    await app.execute(new Count('late'));
    expect(events).toMatchObject([{ handled: false }]);
    expect(await trouble()).toMatchObject([{ state: 'head' }, { state: 'queued' }]);
    faults.heal();
    await app.clock.advance('5m');
    expect(await trouble()).toEqual([]);
    expect(await sightings('late')).toEqual([1, 2]);
  });

  it('runs every retry that falls into the time that passes, up to the last', async () => {
    faults = app.faults(NoteWhenCounted).fail();
    await app.execute(new Count('hopeless'));
    await app.clock.advance('5m');
    expect(await trouble()).toMatchObject([{ state: 'dead', attempts: 5 }]);
    await app.db('watching').query('delete from watching.trouble');
  });

  it('has a clock that stands still until it is moved', async () => {
    const before = app.clock.now();
    await app.execute(new Count('b'));
    expect(app.clock.now()).toEqual(before);
    await app.clock.advance('90s');
    expect(app.clock.now().getTime() - before.getTime()).toBe(90_000);
    expect(app.clock).toBeInstanceOf(Clock);
    await expect(app.clock.advance('soon' as '1s')).rejects.toThrow('"soon" is not a duration');
  });

  it('replaces the clock of its contexts, and what a test wants to', async () => {
    class Gateway {
      readonly name: string = 'real';
    }
    class ShopModule {}
    ContextModule({ name: 'shop', providers: [Gateway, { provide: Clock, useClass: SystemClock }] })(ShopModule);
    const shop = await TestApplication.start([ShopModule], { topology: { events }, replace: new Map([[Gateway, { name: 'pretended' }]]) });
    expect(shop.get(Clock)).toBe(shop.clock);
    expect(shop.get(Gateway).name).toBe('pretended');
    await shop.stop();
  });

  it('teaches: a class that is no context, a handler that is not there', async () => {
    class Plain {}
    class Nobody {
      handle() {}
    }
    await expect(TestApplication.start([Plain])).rejects.toThrow(/Plain is not the module of a context/);
    expect(() => app.faults(Nobody)).toThrow(/Nobody handles no events/);
  });
});
