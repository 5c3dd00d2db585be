import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from '../fixtures/counting-app.js';
import { Count, watcher } from '../fixtures/counters.js';
import { Trouble } from '../trouble.js';
import { Operator } from './operator.js';

const HANDLER = 'NoteWhenCounted';
const EVENTUALLY = { timeout: 15_000 };

describe('a person looking after events in trouble', () => {
  let app: CountingApp;
  let operator: Operator;

  beforeAll(async () => {
    app = await startCountingApp();
    operator = app.app.get(Operator);
  });
  afterAll(() => app?.stop());
  afterEach(() => {
    watcher.fail = undefined;
  });

  const keyOf = (id: string) => `default/counting.counter/${id}`;
  const sightings = async (counter: string) =>
    (await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);
  const inTrouble = async (target = {}) => (await operator.trouble(target)).items;
  /** Counts while the watcher fails for the counter, until the first event is dead. */
  const fail = async (id: string, times: number) => {
    const failing = watcher.fail;
    watcher.fail = (event) => {
      failing?.(event);
      if (event.id === id) throw new Error(`cannot stand ${id}`);
    };
    for (let i = 0; i < times; i++) await app.commands.execute(new Count(id));
    await app.settle();
    await app.app.clock.advance('5m');
    expect((await inTrouble({ key: keyOf(id) }))[0]?.state).toBe('dead');
  };

  it('sees the first event of a key with its reason, and what waits behind it', async () => {
    await fail('a', 3);
    const [entry] = await inTrouble();
    expect(entry).toMatchObject({
      context: 'watching', reader: 'watching', source: 'counting', handler: HANDLER, key: keyOf('a'), type: 'counting.counted',
      state: 'dead', attempts: 5, nextAttemptAt: null, error: { name: 'Error', message: 'cannot stand a' }, request: null, edited: false, waiting: 2,
    });
    expect(entry!.behind.map(({ n, type }) => [n > entry!.n, type])).toEqual([[true, 'counting.counted'], [true, 'counting.counted']]);
    expect(await inTrouble({ event: entry!.behind[1]!.event })).toHaveLength(1);
    expect(await inTrouble({ handler: 'SomethingElse' })).toEqual([]);
  });

  it('is told why an event behind another one cannot be replayed before it', async () => {
    const [entry] = await inTrouble();
    const second = entry!.behind[0]!.event;
    await expect(operator.request({ request: 'replay', event: second })).rejects.toThrow(`behind event ${entry!.event} of the same key`);
  });

  it('replays a key in order, and may ask twice', async () => {
    watcher.fail = undefined;
    expect((await operator.request({ request: 'replay', key: keyOf('a') })).asked).toBe(1);
    await operator.request({ request: 'replay', key: keyOf('a') }).catch(() => undefined);
    await expect.poll(() => sightings('a'), EVENTUALLY).toEqual([1, 2, 3]);
    await expect.poll(() => inTrouble(), EVENTUALLY).toEqual([]);
    await expect(operator.request({ request: 'replay', key: keyOf('a') })).rejects.toThrow(/matches key default\/counting.counter\/a, or not any more/);
  });

  it('skips an event where it waits; the others keep their order', async () => {
    await fail('b', 4);
    const [entry] = await inTrouble();
    await operator.request({ request: 'skip', event: entry!.behind[1]!.event });
    expect((await inTrouble())[0]!.behind.map(({ request }) => request)).toEqual([null, 'skip', null]);
    watcher.fail = undefined;
    await operator.request({ request: 'replay', handler: HANDLER }, 'watching');
    await expect.poll(() => sightings('b'), EVENTUALLY).toEqual([1, 2, 4]);
  });

  it('skips a key: its first event alone, or everything that waits', async () => {
    await fail('c', 3);
    await fail('d', 3);
    watcher.fail = undefined;
    expect((await operator.request({ request: 'skip', key: keyOf('c') })).asked).toBe(1);
    expect((await operator.request({ request: 'skip', key: keyOf('d'), withWaiting: true })).asked).toBe(3);
    await expect.poll(() => sightings('c'), EVENTUALLY).toEqual([2, 3]);
    await expect.poll(() => inTrouble(), EVENTUALLY).toEqual([]);
    expect(await sightings('d')).toEqual([]);
  });

  it('edits an event, also one that waits behind another, and replays everything', async () => {
    await fail('e', 2);
    const [entry] = await inTrouble();
    await operator.edit({ event: entry!.behind[0]!.event, payload: { id: 'e2', value: 20 } });
    await operator.edit({ event: entry!.event, payload: { id: 'e1', value: 10 } });
    await expect.poll(() => sightings('e1'), EVENTUALLY).toEqual([10]);
    await expect.poll(() => sightings('e2'), EVENTUALLY).toEqual([20]);
    expect(await sightings('e')).toEqual([]);
    const { rows } = await app.watching.query("select n, outcome, edited, attempts from watching.solved where key = $1 order by n", [keyOf('e')]);
    expect(rows).toMatchObject([{ outcome: 'handled', edited: true, attempts: 5 }, { outcome: 'handled', edited: true, attempts: 0 }]);
  });

  it('has a request kept that came while an attempt was failing', async () => {
    await fail('f', 1);
    const trouble = new Trouble(app.watching, 'watching', 'counting');
    const { rows } = await app.watching.query<{ n: string; lane: number }>('select n, lane from watching.trouble');
    const asIt = { lane: rows[0]!.lane, handler: HANDLER, key: keyOf('f'), n: Number(rows[0]!.n), event: {} as never, state: 'dead', attempts: 5, request: 'replay', asked: 1, failed_at: null } as const;
    // The owner has read the first request; the second one comes before it notes that the attempt has failed.
    const transaction = await app.watching.begin();
    await transaction.commit([{ text: 'update watching.trouble set asked = 2, request = $1', values: ['skip'] }, trouble.failedAgain(asIt, new Error('once more'))]);
    await expect.poll(() => inTrouble(), EVENTUALLY).toEqual([]);
    const { rows: solved } = await app.watching.query('select outcome from watching.solved where key = $1', [keyOf('f')]);
    expect(solved).toEqual([{ outcome: 'skipped' }]);
  });

  it('sees the events of a tenant that are held back as one entry, and of one of them that it waits its turn', async () => {
    for (let i = 0; i < 2; i++) await app.commands.execute(new Count('g'));
    await app.settle();
    // As if the owner of the lane had held both back; it looks for such only when it takes the lane.
    await app.watching.query(
      `insert into watching.trouble (reader, source, lane, handler, key, n, event, state)
       select 'watching', 'counting', l.lane, '*', 'default', l.n, jsonb_build_object('id', o.id, 'type', o.type, 'headers', o.headers, 'createdAt', to_json(o.created_at)), 'throttled'
       from counting.log l join counting.outbox o using (position) where o.aggregate_id = 'g'`,
    );
    const [entry, ...others] = await inTrouble();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ state: 'throttled', handler: '*', key: 'default', waiting: 1, nextAttemptAt: null, error: null });
    expect((await operator.readers()).items.find(({ reader }) => reader === 'watching')).toMatchObject({ blockedKeys: 0, deadKeys: 0, heldBack: 2 });
    const { handlings } = (await operator.trace(entry!.event)).events[0]!;
    expect(handlings.map(({ handler, state }) => [handler, state])).toContainEqual([HANDLER, 'throttled']);
    await app.watching.query("delete from watching.trouble where state = 'throttled'");
  });

  it('is told what there is when a name is wrong', async () => {
    await expect(operator.trouble({}, 'wathcing')).rejects.toThrow('There is no context "wathcing". There are: counting, watching.');
    await expect(operator.request({ request: 'skip', event: 'no-such' })).rejects.toThrow('matches event no-such');
  });
});
