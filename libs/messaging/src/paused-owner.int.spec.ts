import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count, watcher } from './fixtures/counters.js';
import { laneOf } from './lanes.js';

describe('a process that falls asleep in the middle of a batch', () => {
  let apps: CountingApp[];
  let wake = () => {};

  beforeAll(async () => {
    const first = await startCountingApp();
    apps = [first, await startCountingApp({ on: first.database })];
  });

  afterEach(() => {
    watcher.fail = undefined;
    wake();
  });

  afterAll(async () => {
    for (const app of apps?.toReversed() ?? []) await app.stop();
  });

  const sightings = async (counter: string) =>
    (await apps[0]!.watching.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);

  /** The first handler that meets this counter sleeps until it is woken; whoever comes later does not. */
  const sleepAt = (counter: string) => {
    const asleep = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    let calls = 0;
    watcher.fail = async (event) => {
      if (event.id !== counter || ++calls > 1) return;
      asleep.resolve();
      await woken.promise;
    };
    wake = () => woken.resolve();
    return { asleep: asleep.promise, calls: () => calls };
  };
  /** What a process finds that has slept longer than its lease. */
  const letLeasesRunOut = () => apps[0]!.watching.query("update nb.member set until = clock_timestamp() - interval '1 s'");

  it('loses its lane, whose events another one handles, and changes nothing when it wakes up', async () => {
    const sleeper = sleepAt('z');
    await apps[0]!.commands.execute(new Count('z'));
    await sleeper.asleep;
    await letLeasesRunOut();
    await expect.poll(() => sightings('z')).toEqual([1]);
    expect(sleeper.calls()).toBe(2);
    wake();
    await apps[0]!.commands.execute(new Count('z'));
    await apps[0]!.settle();
    expect(await sightings('z')).toEqual([1, 2]);
  });

  it('costs the other lanes nothing: its lease is renewed while a batch is open', async () => {
    const sleeper = sleepAt('x');
    await apps[0]!.commands.execute(new Count('x'));
    await sleeper.asleep;
    const lane = (id: string) => laneOf('default', 'counting.counter', id);
    const others = Array.from({ length: 20 }, (_, i) => `other${i}`).filter((id) => lane(id) !== lane('x'));
    const before = await members();
    for (const id of others) await apps[0]!.commands.execute(new Count(id));
    for (const id of others) await expect.poll(() => sightings(id)).toEqual([1]);
    await expect.poll(async () => (await members()).map(({ until }, index) => until > before[index]!['until'])).toEqual([true, true]);
    expect((await members()).map(({ instance }) => instance)).toEqual(before.map(({ instance }) => instance));
    wake();
    await apps[0]!.settle();
  });

  const members = async () => (await apps[0]!.watching.query("select instance, until from nb.member where reader = 'watching' and until > clock_timestamp() order by instance")).rows;
});
