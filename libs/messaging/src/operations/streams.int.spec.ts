import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { uuidv7, withMessage } from '@nestbox/kernel';
import { createTestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from '../fixtures/counting-app.js';
import { Count, watcher } from '../fixtures/counters.js';
import { connectTo } from '../nats/fixture.spec.js';
import type { NatsConnection } from '../nats/connection.js';
import { Operator } from './operator.js';

const NAMESPACE = `nbtest_${randomBytes(5).toString('hex')}`;
const LARGE = `large-${'x'.repeat(3_000)}`;
const STREAM = `${NAMESPACE.toUpperCase()}_EVT_counting`;

describe('a system whose events travel through NATS', () => {
  let app: CountingApp;
  let operator: Operator;
  let connection: NatsConnection;

  beforeAll(async () => {
    connection = await connectTo();
    app = await startCountingApp({ messaging: { events: 'nats' }, nats: { NATS_NAMESPACE: NAMESPACE } });
    operator = app.app.get(Operator);
  });
  afterAll(async () => {
    watcher.fail = undefined;
    await app?.stop();
    for (const stream of ['counting', 'watching']) await connection.jsm.streams.delete(`${NAMESPACE.toUpperCase()}_EVT_${stream}`).catch(() => undefined);
    await connection.close();
  });

  const state = async () => (await operator.streamStates('counting')).items[0]!;
  const sightings = async () => (await app.watching.query<{ value: number }>("select value from watching.sighting where counter = 's' order by seq")).rows.map(({ value }) => value);
  const count = async (id: string, times: number) => {
    for (let i = 0; i < times; i++) await app.commands.execute(new Count(id));
  };

  it('shows its streams beside the logs that they are filled from, and who fills them', async () => {
    await count('s', 5);
    await expect.poll(state).toMatchObject({ context: 'counting', stream: STREAM, first: 1, last: 5, head: 5, behind: 0, messages: 5, relay: expect.stringMatching(/:\d+$/) as string });
    await app.settle();
  });

  it('fills a stream again that was wiped, by itself, and no effect is doubled', async () => {
    await connection.jsm.streams.purge(STREAM);
    expect(await state()).toMatchObject({ messages: 0, last: 0, head: 5, behind: 5 });
    await expect.poll(state).toMatchObject({ messages: 5, first: 1, last: 5, behind: 0 });
    await connection.jsm.streams.delete(STREAM);
    expect(await state()).toMatchObject({ created: null, behind: 5 });
    await count('s', 1);
    await expect.poll(state).toMatchObject({ messages: 6, first: 1, last: 6, behind: 0 });
    await expect.poll(sightings).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('tells where an event is, whatever was deleted before it', async () => {
    await connection.jsm.streams.deleteMessage(STREAM, 3);
    const { rows } = await app.counting.query<{ id: string }>('select id from counting.outbox order by position');
    for (const [index, { id }] of rows.entries()) {
      const [event] = (await operator.trace(id)).events;
      if (index === 2) expect(event!.published).toBeNull();
      else expect(event!.published).toMatchObject({ stream: STREAM, sequence: index + 1, event: id });
    }
  });

  it('lists an event that is too large for the broker: in trouble, and ERR in the outbox', async () => {
    // The id is in the headers and in the payload: the stream takes it once, for a tombstone, and not twice.
    await connection.jsm.streams.update(STREAM, { max_msg_size: 5_000 });
    await count(LARGE, 1);
    await expect.poll(async () => (await operator.trouble({ reader: 'relay' })).items).toMatchObject([{ context: 'counting', source: 'counting', state: 'dead', attempts: 1, error: { name: 'TooLargeForBroker' } }]);
    const [refused] = (await operator.outbox({ state: 'ERR' })).items;
    expect(refused).toMatchObject({ context: 'counting', n: 7, state: 'ERR', retries: 1 });
    await expect(operator.request({ request: 'replay', event: refused!.event, reader: 'relay' })).rejects.toThrow(/tombstone has its place/);
    await count('s', 1);
    await expect.poll(sightings).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect((await operator.request({ request: 'skip', event: refused!.event, reader: 'relay' })).asked).toBe(1);
    expect((await operator.trouble({ reader: 'relay' })).items).toEqual([]);
  });

  it('keeps such an event for its handlers, in order, until a person gives them what the outbox has', async () => {
    const entries = () => operator.trouble().then(({ items }) => items.filter(({ key }) => key.includes('large')));
    await count(LARGE, 1);
    await expect.poll(async () => (await entries()).filter(({ waiting, reader }) => reader === 'relay' || waiting === 1).map(({ handler, error }) => [handler, error?.name]).toSorted()).toEqual([
      ['AddToTotalWhenCounted', 'EventWithheld'],
      ['NoteWhenCounted', 'EventWithheld'],
      ['relay', 'TooLargeForBroker'],
    ]);
    for (const { event, behind } of (await entries()).filter(({ reader }) => reader === 'watching')) for (const id of [event, behind[0]!.event]) await operator.restore({ event: id });
    const seen = async () => (await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [LARGE])).rows.map((row) => row['value']);
    await expect.poll(seen).toEqual([1, 2]);
    await operator.request({ request: 'skip', reader: 'relay' });
    await expect.poll(entries).toEqual([]);
  });

  it('tells the story of a request: committed, published, handled and where, failed and why', async () => {
    const correlationId = uuidv7();
    watcher.fail = ({ id }) => {
      if (id === 't') throw new Error('not this one');
    };
    await withMessage({ correlationId, tenantId: 'default' }, () => count('t', 2));
    await expect.poll(async () => (await operator.trouble({ reader: 'watching' })).items[0]?.attempts ?? 0).toBeGreaterThan(0);
    const told = async () => (await operator.trace(correlationId)).events.map(({ handlings }) => Object.fromEntries(handlings.map(({ handler, state: became }) => [handler, became])));
    await expect.poll(told).toEqual([
      { NoteWhenCounted: expect.stringMatching(/retrying|dead/) as string, AddToTotalWhenCounted: 'handled' },
      { NoteWhenCounted: 'queued', AddToTotalWhenCounted: 'handled' },
    ]);
    const story = await operator.trace(correlationId);
    expect(story).toMatchObject({ correlationId, count: 2, cut: false, silent: [] });
    const [first] = story.events;
    expect(first).toMatchObject({ context: 'counting', type: 'counting.counted', aggregateId: 't', aggregateVersion: 1, origin: 'counting.count', published: { stream: STREAM } });
    expect(first!.handlings.find(({ handler }) => handler === 'NoteWhenCounted')).toMatchObject({ reader: 'watching', error: 'not this one' });
    expect(first!.handlings.find(({ handler }) => handler === 'AddToTotalWhenCounted')).toMatchObject({ reader: 'watching.totals', exact: true, process: expect.stringMatching(/:\d+$/) as string });
    // By the id of one event the same is told.
    expect(await operator.trace(first!.event)).toMatchObject({ correlationId, count: 2 });

    // Skipped while it still fails: a retry must not be faster.
    await operator.request({ request: 'skip', event: first!.event }, 'watching');
    watcher.fail = undefined;
    await expect.poll(told).toMatchObject([{ NoteWhenCounted: 'skipped' }, { NoteWhenCounted: 'handled' }]);
    await expect(operator.trace(uuidv7())).rejects.toThrow(/No event with the id or correlation id/);
  });
});

it('a system that does without NATS again has no relay that holds anything up', async () => {
  const database = await createTestDatabase();
  const connection = await connectTo();
  const namespace = `${NAMESPACE}-b`;
  try {
    const before = await startCountingApp({ on: database, messaging: { events: 'nats' }, nats: { NATS_NAMESPACE: namespace } });
    await before.commands.execute(new Count('r'));
    const relayOf = async (app: CountingApp) => (await app.app.get(Operator).readers('counting')).items.find(({ reader }) => reader === 'relay');
    await expect.poll(() => relayOf(before)).toMatchObject({ behind: 0 });
    await before.stop();
    const after = await startCountingApp({ on: database });
    await after.commands.execute(new Count('r'));
    const states = async () => (await after.app.get(Operator).outbox({}, 'counting')).items.map(({ n, state }) => [n, state]);
    await expect.poll(states).toEqual([[2, 'SENT'], [1, 'SENT']]);
    expect(await relayOf(after)).toBeUndefined();
    await after.stop();
  } finally {
    for (const context of ['counting', 'watching']) await connection.jsm.streams.delete(`${namespace.toUpperCase()}_EVT_${context}`).catch(() => undefined);
    await connection.close();
    await database.drop();
  }
});
