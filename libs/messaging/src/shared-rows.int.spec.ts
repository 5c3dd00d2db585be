import 'reflect-metadata';
import { withMessage } from '@nestbox/kernel';
import { TestApplication } from '@nestbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Count, Counted, CountingModule } from './fixtures/counters.js';
import { LookWhenCounted, Meddle, TALLIES, TallyingModule } from './fixtures/tallies.js';

const COUNTERS = 60;
const ROUNDS = 5;
const TENANTS = ['acme', 'globex', 'initech', 'umbrella'];

describe('handlers of all lanes that change the same few rows', () => {
  let app: TestApplication;

  beforeAll(async () => {
    app = await TestApplication.start([CountingModule, TallyingModule]);
  });

  afterEach(() => {
    LookWhenCounted.look = () => undefined;
  });

  afterAll(() => app?.stop());

  const tallying = async (sql: string) => (await app.db('tallying').query(sql)).rows;
  const count = (counter: number) =>
    withMessage({ correlationId: `c${counter}`, tenantId: TENANTS[counter % TENANTS.length]! }, () => app.commands.execute(new Count(`c${counter}`)));

  it('lose none of their updates, and raise their own events once and in order', async () => {
    for (let round = 0; round < ROUNDS; round++) await Promise.all(Array.from({ length: COUNTERS }, (_, counter) => count(counter)));
    await app.settled();
    const totals = await tallying('select id, total from tallying.tally order by id');
    const expected = Array.from({ length: TALLIES }, (_, tally) => ({
      id: `t${tally}`,
      total: ROUNDS * Array.from({ length: COUNTERS }, (_unused, counter) => counter).filter((counter) => counter % TALLIES === tally).length,
    }));
    expect(totals).toEqual(expected);
    const raised = await tallying(`select aggregate_id id, array_agg((payload->>'total')::int order by l.n) totals, array_agg(aggregate_version::int order by l.n) versions
      from tallying.outbox join tallying.log l using (position) group by 1 order by 1`);
    const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
    expect(raised).toEqual(expected.map(({ id, total }) => ({ id, totals: upTo(total), versions: upTo(total) })));
  });

  it('never count as failed because they waited for each other', async () => {
    expect(await tallying('select handler, error from tallying.trouble')).toEqual([]);
  });

  it('are not run again because the one beside them failed', async () => {
    const before = (await tallying("select total from tallying.tally where id = 't3'"))[0]!['total'] as number;
    let calls = 0;
    LookWhenCounted.look = (event: Counted) => {
      if (event.id !== 'c3') return;
      calls += 1;
      throw new Error('cannot look');
    };
    await count(3);
    await app.settled();
    await app.clock.advance('5m');
    expect(await tallying('select handler, state, attempts from tallying.trouble')).toEqual([{ handler: 'LookWhenCounted', state: 'dead', attempts: 5 }]);
    expect(calls).toBeGreaterThanOrEqual(5);
    expect((await tallying("select total from tallying.tally where id = 't3'"))[0]!['total']).toBe(before + 1);
  });

  it('that are gone leave what waits for them to a person, who is told so', async () => {
    const waiting = async () => (await tallying('select state, handler, error from tallying.trouble'))[0];
    await app.db('tallying').query("update tallying.trouble set handler = 'LookedAtCounts', request = 'replay'");
    await expect.poll(waiting).toMatchObject({ handler: 'LookedAtCounts', error: { message: expect.stringMatching(/The handler LookedAtCounts .* does not exist any more.*skip the event, or bring the handler back/s) } });
    await app.clock.advance('5m');
    expect(await waiting()).toMatchObject({ state: 'dead' });
  });

  it('cannot reach into the transaction of another context: a command of it is refused inside', async () => {
    await expect(app.commands.execute(new Meddle())).rejects.toThrow(/The command "counting.count" belongs to the context "counting", but a unit of work of "tallying" is open/);
  });
});
