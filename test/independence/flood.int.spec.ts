import 'reflect-metadata';
import { laneOf } from '@nestbox/messaging';
import { TestApplication } from '@nestbox/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { booked, EVENTUALLY, heldBack, random, read, tallied, upTo } from './books.ts';
import { LedgerModule, MeterModule, work } from './contexts.ts';
import { connect, dropStreams } from './streams.ts';

describe.each(['in-process', 'nats'] as const)('a tenant that floods the lanes which it shares with others, %s', (events) => {
  const namespace = `independence_flood_${process.pid}`;
  let app: TestApplication;

  beforeAll(async () => {
    app = await TestApplication.start([MeterModule, LedgerModule], { topology: { events }, settings: { NATS_NAMESPACE: namespace } });
  });

  afterEach(() => {
    work.ms = 0;
  });

  afterAll(async () => {
    await app?.stop();
    const connection = await connect();
    await dropStreams(connection, namespace);
    await connection.close();
  });

  const ledger = () => app.db('ledger');
  /** A meter of a tenant in a given lane. */
  const meterIn = (lane: number, tenant: string, from = 0) => {
    for (let index = from; ; index++) if (laneOf(tenant, 'meter.meter', `${tenant}-${index}`) === lane) return `${tenant}-${index}`;
  };
  const lanesOf = (tenant: string) => [...new Set(Array.from({ length: 40 }, (_, index) => laneOf(tenant, 'meter.meter', `${tenant}-${index}`)))];
  /** A tenant that shares all its lanes with another one. */
  const neighbourOf = (tenant: string) => {
    const lanes = lanesOf(tenant).toSorted().join();
    for (let index = 0; ; index++) if (lanesOf(`quiet${index}`).toSorted().join() === lanes) return `quiet${index}`;
  };

  it('is held back, in order, while the others are handled before what it has raised before them', async () => {
    work.ms = 2;
    const lane = lanesOf('loud')[0]!;
    const quiet = neighbourOf('loud');
    const loudMeters = [0, 100, 200, 300].map((from) => meterIn(lane, 'loud', from));
    const quietMeter = meterIn(lane, quiet);
    await read(app, quietMeter, 1, 'book', quiet);
    for (let round = 0; round < 4; round++) for (const meter of loudMeters) await read(app, meter, 100, 'book', 'loud');
    await expect.poll(() => heldBack(ledger()), EVENTUALLY).toBeGreaterThan(0);
    await read(app, quietMeter, 1, 'book', quiet);
    await expect.poll(() => booked(ledger(), quietMeter), EVENTUALLY).toEqual(upTo(2));
    // The tenant goes on meanwhile, behind what it has raised before.
    expect(await heldBack(ledger())).toBeGreaterThan(0);
    await read(app, loudMeters[0]!, 1, 'book', 'loud');
    work.ms = 0;
    await app.settled();
    for (const meter of loudMeters) expect(await booked(ledger(), meter)).toEqual(upTo(meter === loudMeters[0] ? 401 : 400));
    expect(await tallied(ledger(), loudMeters[0]!)).toBe(401);
    expect(await heldBack(ledger())).toBe(0);
  });

  it.each(events === 'in-process' ? [2] : [3])('loses, doubles and reorders nothing, whoever floods, fails and takes over (seed %i)', async (seed) => {
    const next = random(seed);
    const any = <T>(items: readonly T[]) => items[Math.floor(next() * items.length)]!;
    const tenants = ['loud', neighbourOf('loud'), `other${seed}`];
    const expected = new Map<string, number[]>();
    const raised = new Map<string, number>();
    work.ms = 2;
    for (let round = 0; round < 24; round++) {
      const tenant = next() < 0.7 ? tenants[0]! : any(tenants);
      const meter = `${tenant}-${seed}-${Math.floor(next() * 6)}`;
      const fails = next() < 0.08;
      const times = tenant === 'loud' && !fails ? 60 + Math.floor(next() * 80) : 1 + Math.floor(next() * 2);
      const first = (raised.get(meter) ?? 0) + 1;
      await read(app, meter, times, fails ? 'throw' : 'book', tenant);
      raised.set(meter, first + times - 1);
      if (!fails) expected.set(meter, [...(expected.get(meter) ?? []), ...upTo(times).map((value) => first - 1 + value)]);
      // Whoever owned the lanes has lost them, in the middle of whatever it does.
      if (next() < 0.08) await ledger().query("update nb.member set until = clock_timestamp() - interval '1 s'");
    }
    console.log(`Seed ${seed}: ${[...raised.values()].reduce((sum, count) => sum + count)} events, of which ${await heldBack(ledger())} are held back.`);
    work.ms = 0;
    await app.settled();
    // A person skips everything that fails, as often as it takes.
    await expect.poll(async () => {
      await ledger().query("update ledger.trouble set request = 'skip', asked = asked + 1 where state in ('head', 'dead') and event->'payload'->>'deed' = 'throw' and request is null");
      const { rows } = await ledger().query<{ count: number }>('select count(*)::int count from ledger.trouble');
      return rows[0]!.count;
    }, { interval: 200 }).toBe(0);
    for (const [meter, count] of raised) {
      expect([meter, await booked(ledger(), meter)]).toEqual([meter, expected.get(meter) ?? []]);
      expect([meter, await tallied(ledger(), meter)]).toEqual([meter, count]);
    }
  });
});
