import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count } from './fixtures/counters.js';

describe('two instances of one service', () => {
  let first: CountingApp;
  let second: CountingApp | undefined;

  beforeAll(async () => {
    first = await startCountingApp();
    second = await startCountingApp({ on: first.database });
  });

  afterAll(async () => {
    await second?.stop();
    await first?.stop();
  });

  const lanes = (app: CountingApp, reader: string) => app.app.get(Engine).state().readers.find(({ name }) => name === `${reader} ← counting`)!.lanes;
  const sightings = async () =>
    (await first.watching.query('select counter, array_agg(value order by seq) as values from watching.sighting group by counter order by counter')).rows;
  const flood = (rounds: number) =>
    Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        for (let round = 0; round < rounds; round++) await [first, second ?? first][round % 2]!.commands.execute(new Count(`i${i}`));
      }),
    );

  it('share the lanes of every reader equally, none twice', async () => {
    await expect.poll(() => [lanes(first, 'watching').length, lanes(second!, 'watching').length]).toEqual([16, 16]);
    expect(new Set([...lanes(first, 'watching'), ...lanes(second!, 'watching')]).size).toBe(32);
  });

  it('handle every event once and in order, while one of them leaves', async () => {
    const flooding = flood(20);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await flooding;
    const leaving = second!;
    second = undefined;
    const more = flood(20);
    await leaving.stop();
    await more;
    await first.settle();
    expect(await sightings()).toEqual(Array.from({ length: 10 }, (_, i) => ({ counter: `i${i}`, values: Array.from({ length: 40 }, (_unused, value) => value + 1) })));
    await expect.poll(() => lanes(first, 'watching').length).toBe(32);
  });

  it('a process that lost its lease changes nothing any more and comes back as a new member', async () => {
    await first.watching.query("update nb.member set until = clock_timestamp() - interval '1 s'");
    await first.commands.execute(new Count('late'));
    await first.settle();
    const { rows } = await first.watching.query("select value from watching.sighting where counter = 'late'");
    expect(rows).toEqual([{ value: 1 }]);
  });
});
