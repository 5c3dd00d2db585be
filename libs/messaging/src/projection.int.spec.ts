import 'reflect-metadata';
import { settled } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count, SIGHTING_TOTALS } from './fixtures/counters.js';
import { rebuildProjection } from './projection.js';

describe('rebuilding a projection', () => {
  let app: CountingApp;

  beforeAll(async () => {
    app = await startCountingApp();
  });

  afterAll(() => app?.stop());

  const totals = async () => (await app.watching.query('select counter, seen from watching.total order by counter')).rows;

  it('ends with the same rows, although events keep coming meanwhile', async () => {
    const counters = Array.from({ length: 8 }, (_, i) => `r${i}`);
    const flood = (async () => {
      for (let round = 0; round < 40; round++) await Promise.all(counters.map((id) => app.commands.execute(new Count(id))));
    })();
    for (let rebuild = 0; rebuild < 3; rebuild++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(await rebuildProjection(app.watching, SIGHTING_TOTALS)).toBe(32);
    }
    await flood;
    await app.settle();
    expect(await totals()).toEqual(counters.map((counter) => ({ counter, seen: 40 })));
  });

  it('starts again by itself when nothing new happens', async () => {
    const before = await totals();
    await app.watching.query('update watching.total set seen = 0');
    await rebuildProjection(app.watching, SIGHTING_TOTALS);
    await settled([], [{ reader: 'watching.totals', db: app.watching, source: app.counting }]);
    expect(await totals()).toEqual(before);
  });

  it('refuses while an event of it is dead, and says what to do', async () => {
    await app.watching.query(
      `insert into watching.trouble (reader, source, lane, handler, key, n, event, state) values ('watching.totals', 'counting', 0, 'X', 'k', 1, '{}', 'dead')`,
    );
    await expect(rebuildProjection(app.watching, SIGHTING_TOTALS)).rejects.toThrow(/--discard-trouble/);
    await rebuildProjection(app.watching, SIGHTING_TOTALS, { discardTrouble: true });
    expect((await app.watching.query('select 1 from watching.trouble')).rows).toEqual([]);
  });
});
