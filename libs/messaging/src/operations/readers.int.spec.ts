import 'reflect-metadata';
import { settled } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from '../fixtures/counting-app.js';
import { Count, watcher } from '../fixtures/counters.js';
import { Operator } from './operator.js';

const EVENTUALLY = { timeout: 15_000 };

describe('a person looking after readers', () => {
  let app: CountingApp;
  let operator: Operator;

  beforeAll(async () => {
    app = await startCountingApp();
    operator = app.app.get(Operator);
  });
  afterAll(async () => {
    watcher.fail = undefined;
    await app?.stop();
  });

  const count = async (id: string, times: number) => {
    for (let i = 0; i < times; i++) await app.commands.execute(new Count(id));
  };
  const reader = async (name: string) => (await operator.readers()).items.find((found) => found.reader === name)!;
  const sightings = async (counter: string) =>
    (await app.watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);
  const states = async (id: string) => Object.fromEntries((await operator.trace(id)).events[0]!.handlings.map(({ handler, state }) => [handler, state]));
  const caughtUp = (name: string) => settled([], [{ reader: name, db: app.watching, source: app.counting }]);

  it('sees where they stand, what is behind that, and which process works on them', async () => {
    await count('a', 3);
    await app.settle();
    const found = await reader('watching');
    expect(found).toMatchObject({ context: 'watching', source: 'counting', behind: 0, oldest: null, blockedKeys: 0, deadKeys: 0 });
    expect(found.lanes).toHaveLength(32);
    expect(Math.max(...found.lanes.map(({ n }) => n))).toBe(3);
    expect(new Set(found.lanes.map(({ owner }) => owner))).toEqual(new Set([expect.stringMatching(/^.+:\d+$/)]));
  });

  it('is asked for consent before effects are repeated or events left out', async () => {
    await expect(operator.move({ reader: 'watching', from: 'start' })).rejects.toThrow(/--repeat-effects/);
    await expect(operator.move({ reader: 'watching', from: 'now' })).rejects.toThrow(/--leave-out/);
    await expect(operator.move({ reader: 'watching.totals', from: 1 })).rejects.toThrow(/projection rebuild totals/);
    await expect(operator.move({ reader: 'watching', from: 5, repeatEffects: true })).rejects.toThrow('The log of "counting" ends at 3: there is no event 5 yet.');
    await expect(operator.move({ reader: 'watching.sums', from: 1, repeatEffects: true })).rejects.toThrow('There is no reader "watching.sums" in "watching". It has: watching, watching.totals.');
    await expect(operator.move({ reader: 'relay', from: 1, repeatEffects: true })).rejects.toThrow(/There is no context "relay"/);
    expect(await sightings('a')).toEqual([1, 2, 3]);
  });

  it('sets one back to an event, to a time and to the start, and it repeats exactly what follows', async () => {
    expect(await operator.move({ reader: 'watching', from: 3, repeatEffects: true })).toEqual({ lanes: 32, from: 3 });
    await expect.poll(() => sightings('a'), EVENTUALLY).toEqual([1, 2, 3, 3]);
    const { rows } = await app.counting.query<{ created_at: Date }>('select created_at from counting.outbox order by position limit 1 offset 1');
    expect(await operator.move({ reader: 'watching', from: { time: rows[0]!.created_at.toISOString() }, repeatEffects: true })).toEqual({ lanes: 32, from: 2 });
    await expect.poll(() => sightings('a'), EVENTUALLY).toEqual([1, 2, 3, 3, 2, 3]);
    await operator.move({ reader: 'watching', from: 'start', repeatEffects: true });
    await expect.poll(() => sightings('a'), EVENTUALLY).toEqual([1, 2, 3, 3, 2, 3, 1, 2, 3]);
    await caughtUp('watching');
  });

  it('sets one past the end: what waits in trouble stays, what was not handled is left out, and told so', async () => {
    watcher.fail = () => {
      throw new Error('later');
    };
    await count('b', 1);
    await app.settle();
    watcher.fail = undefined;
    // Somebody else has the lanes, and does nothing.
    await app.watching.query(
      `with other as (insert into nb.member values ('watching', gen_random_uuid(), clock_timestamp() + interval '1 hour') returning instance)
       insert into watching.cursor (reader, source, lane, gen, n, owner)
       select reader, source, lane, gen + 1, n, instance from (select distinct on (lane) * from watching.cursor where reader = 'watching' order by lane, gen desc) x, other`,
    );
    await count('left', 1);
    await caughtUp('watching.totals');
    expect(await reader('watching')).toMatchObject({ behind: 1, blockedKeys: 1 });
    expect(await operator.move({ reader: 'watching', from: 'now', leaveOut: true })).toEqual({ lanes: 32, from: 6 });
    await app.watching.query("delete from nb.member where until > clock_timestamp() + interval '10 minutes'");
    await count('b', 1);
    await operator.request({ request: 'replay' }).catch(() => undefined);
    await expect.poll(() => sightings('b'), EVENTUALLY).toEqual([1, 2]);
    expect(await sightings('left')).toEqual([]);
    const { rows } = await app.counting.query<{ id: string }>("select id from counting.outbox where aggregate_id = 'left'");
    expect(await states(rows[0]!.id)).toEqual({ NoteWhenCounted: 'left out', AddToTotalWhenCounted: 'handled' });
  });

  it('is told a span when old generations are thinned out, and less when they are gone', async () => {
    const id = (await app.counting.query<{ id: string }>("select id from counting.outbox where aggregate_id = 'b' order by position desc limit 1")).rows[0]!.id;
    const told = async () => (await operator.trace(id)).events[0]!.handlings.find(({ handler }) => handler === 'AddToTotalWhenCounted')!;
    expect(await told()).toMatchObject({ state: 'handled', exact: true, after: null });
    const lane = "reader = 'watching.totals' and lane = (select lane from counting.outbox where id = $1)";
    const passing = `(select min(gen) from watching.cursor where ${lane} and n >= (select n from counting.log join counting.outbox using (position) where id = $1))`;
    // Two more generations, then the one that has handled it goes.
    await app.watching.query(`insert into watching.cursor (reader, source, lane, gen, n, owner) select reader, source, lane, gen + 1, n, null from (select * from watching.cursor where ${lane} order by gen desc limit 1) x`, [id]);
    await app.watching.query(`delete from watching.cursor where ${lane} and gen = ${passing}`, [id]);
    expect(await told()).toMatchObject({ state: 'handled', exact: false, after: expect.any(String) as string, process: null });
    await app.watching.query(`delete from watching.cursor where ${lane} and gen < ${passing}`, [id]);
    expect(await told()).toMatchObject({ state: 'handled', exact: false, after: null, at: expect.any(String) as string });
  });

  it('sets one back over an event in trouble: it is handled again with the others, in order', async () => {
    watcher.fail = ({ value }) => {
      if (value < 3) throw Object.assign(new Error('not yet'), { incurable: true });
    };
    await count('c', 3);
    await app.settle();
    expect((await operator.trouble()).items).toMatchObject([{ waiting: 2 }]);
    const [entry] = (await operator.trouble()).items;
    await expect(operator.move({ reader: 'watching', from: entry!.n, repeatEffects: true })).rejects.toThrow(/--discard-trouble/);
    watcher.fail = undefined;
    await operator.move({ reader: 'watching', from: entry!.n, repeatEffects: true, discardTrouble: true });
    await expect.poll(() => sightings('c'), EVENTUALLY).toEqual([1, 2, 3]);
    expect((await operator.trouble()).items).toEqual([]);
  });

  it('is told when events that would be needed are no longer kept', async () => {
    await app.settle();
    await app.counting.query('delete from counting.log where n <= 4');
    await app.counting.query('delete from counting.outbox where position <= 4');
    await expect(operator.move({ reader: 'watching', from: 'start', repeatEffects: true })).rejects.toThrow(/The log of "counting" reaches back to event \d+/);
    await expect(operator.rebuild('totals')).rejects.toThrow(/no longer kept/);
    await expect(operator.rebuild('sums')).rejects.toThrow('There is no projection "sums" that has ever run.');
  });
});
