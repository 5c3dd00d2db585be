import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from '../fixtures/counting-app.js';
import { Count, watcher } from '../fixtures/counters.js';
import { random } from '../nats/fixture.spec.js';
import { Operator } from './operator.js';

const COUNTERS = Array.from({ length: 8 }, (_, i) => `w${i}`);
const ROUNDS = 30;
const SEEDS = [1, 2];

/** Two processes that share the lanes, handlers that fail now and then, and a person who asks for anything at any time, while events flow. */
describe('requests of a person in a working system', () => {
  let app: CountingApp;
  let other: CountingApp;
  let operator: Operator;

  beforeAll(async () => {
    app = await startCountingApp();
    other = await startCountingApp({ on: app.database });
    operator = app.app.get(Operator);
  });
  afterAll(async () => {
    watcher.fail = undefined;
    await other?.stop();
    await app?.stop();
  });

  const trouble = async () => (await operator.trouble()).items;
  const sightings = async () =>
    new Map((await app.watching.query<{ counter: string; values: number[] }>('select counter, array_agg(value order by seq) as values from watching.sighting group by counter')).rows.map((row) => [row.counter, row.values]));

  /** Asks for whatever the dice say, about something that is in trouble at the moment. */
  async function ask(dice: () => number): Promise<void> {
    const entries = await trouble();
    const entry = entries[Math.floor(dice() * entries.length)];
    if (!entry) return;
    const waiting = [entry, ...entry.behind];
    const { event } = waiting[Math.floor(dice() * waiting.length)]!;
    const kind = dice();
    const asked =
      kind < 0.3 ? operator.request({ request: 'replay' })
      : kind < 0.5 ? operator.request({ request: 'replay', key: entry.key })
      : kind < 0.6 ? operator.request({ request: 'replay', handler: entry.handler }, 'watching')
      : kind < 0.75 ? operator.request({ request: 'replay', event })
      : kind < 0.85 ? operator.request({ request: 'skip', event })
      : kind < 0.9 ? operator.request({ request: 'skip', key: entry.key })
      : operator.edit({ event, payload: await payloadOf(event) });
    // What it was about may have been handled in between, or wait behind another: that is an answer, too.
    await asked.catch((error: { code?: string }) => expect(['operations.not-in-trouble', 'operations.waits-behind-another']).toContain(error.code));
  }

  /** What an edit writes: the same again, so that what comes of it can be compared. */
  async function payloadOf(event: string): Promise<Record<string, unknown>> {
    const { rows } = await app.counting.query<{ payload: Record<string, unknown> }>('select payload from counting.outbox where id = $1', [event]);
    return rows[0]!.payload;
  }

  it.each(SEEDS)('lose, double and reorder nothing, whenever they come (seed %i)', async (seed) => {
    const dice = random(seed);
    const ids = COUNTERS.map((id) => `${seed}-${id}`);
    watcher.fail = () => {
      if (dice() < 0.3) throw new Error('unlucky');
    };
    const events = { flow: true };
    const person = (async () => {
      while (events.flow) await ask(dice);
    })();
    for (let round = 0; round < ROUNDS; round++) await Promise.all(ids.map((id) => app.commands.execute(new Count(id))));
    await app.settle();
    events.flow = false;
    await person;
    watcher.fail = undefined;
    await expect.poll(async () => {
      await operator.request({ request: 'replay' }).catch(() => undefined);
      return trouble();
    }).toEqual([]);

    const { rows } = await app.watching.query<{ key: string; n: string }>("select key, n from watching.solved where outcome = 'skipped'");
    const skipped = new Set(rows.map(({ n }) => Number(n)));
    const log = await app.counting.query<{ n: string; id: string; value: number }>("select n, aggregate_id id, (payload->>'value')::int as value from counting.log join counting.outbox using (position) order by n");
    const seen = await sightings();
    for (const id of ids) {
      const expected = log.rows.filter((row) => row.id === id && !skipped.has(Number(row.n))).map(({ value }) => value);
      expect(expected.length, id).toBeGreaterThan(0);
      expect(seen.get(id), id).toEqual(expected);
    }
    expect(rows.length).toBeGreaterThan(0);
  });
});
