import 'reflect-metadata';
import { laneOf } from '@nestbox/messaging';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { booked, EVENTUALLY, read, tallied, troubleOf, upTo } from './books.ts';
import { LedgerModule, MeterModule } from './contexts.ts';
import { connect, dropStreams } from './streams.ts';

describe.each(['in-process', 'nats'] as const)('an event that cannot be handled, %s', (events) => {
  const namespace = `independence_${process.pid}`;
  let app: TestApplication;

  beforeAll(async () => {
    app = await TestApplication.start([MeterModule, LedgerModule], { topology: { events }, settings: { NATS_NAMESPACE: namespace } });
  });

  afterAll(async () => {
    await app?.stop();
    if (events === 'in-process') return;
    const connection = await connect();
    await dropStreams(connection, namespace);
    await connection.close();
  });

  const ledger = () => app.db('ledger');
  /** Other keys, in every lane, go on: all that is raised now is booked, in order. */
  const othersFlow = async (round: string) => {
    const meters = Array.from({ length: 40 }, (_, index) => `${round}-${index}`);
    await Promise.all(meters.map((meter) => read(app, meter, 3)));
    for (const meter of meters) await expect.poll(() => booked(ledger(), meter), EVENTUALLY).toEqual(upTo(3));
  };

  it('because the handler throws: it waits with its reason and what is behind it in order, everything else flows', async () => {
    await read(app, 'thrower', 2);
    await read(app, 'thrower', 1, 'throw');
    await read(app, 'thrower', 2);
    await othersFlow('throw');
    expect(await booked(ledger(), 'thrower')).toEqual([1, 2]);
    await expect.poll(() => tallied(ledger(), 'thrower'), EVENTUALLY).toBe(5);
    const [head, ...behind] = await troubleOf(ledger(), 'thrower');
    expect(head).toMatchObject({ handler: 'BookReading', error: { message: 'cannot book thrower' } });
    expect(behind.map(({ state }) => state)).toEqual(['queued', 'queued']);
  });

  it('because the handler cannot reach another service: that is a failure of the handler, not of the database', async () => {
    await read(app, 'dialler', 1, 'dial');
    await othersFlow('dial');
    await expect.poll(() => troubleOf(ledger(), 'dialler'), EVENTUALLY).toMatchObject([{ handler: 'BookReading', error: { message: expect.stringContaining('ECONNREFUSED') } }]);
  });

  it('because its payload is not what the event class expects: dead at once, and replayed once it is edited', async () => {
    await insertRaw('spoilt', { payload: '{"meter":"spoilt","value":"one","deed":"book"}' });
    await insertRaw('array', { payload: '[1,2]' });
    await othersFlow('payload');
    for (const handler of ['BookReading', 'TallyReading']) {
      expect(await troubleOf(ledger(), 'spoilt')).toContainEqual(expect.objectContaining({ handler, state: 'dead', attempts: 1, error: expect.objectContaining({ name: 'UndecodableEvent', message: expect.stringContaining('value is "one", not a number') }) }));
    }
    expect((await troubleOf(ledger(), 'array'))[0]).toMatchObject({ state: 'dead', error: { message: expect.stringContaining('it is not a JSON object') } });
    await ledger().query(`update ledger.trouble set request = 'replay', edited = event || '{"payload":{"meter":"spoilt","value":1,"deed":"book"}}' where key like '%/spoilt'`);
    await expect.poll(() => booked(ledger(), 'spoilt'), EVENTUALLY).toEqual([1]);
  });

  it('because it is newer than the code: dead at once, with what to do; an older one, too, if nothing reads it', async () => {
    await insertRaw('newer', { schemaVersion: 2 });
    await othersFlow('version');
    expect((await troubleOf(ledger(), 'newer'))[0]).toMatchObject({ state: 'dead', error: { name: 'UnknownEventVersion', message: expect.stringMatching(/version 2, .* knows version 1\. Deploy the version that knows it, then replay/) } });
  });

  it('because nobody here knows its type: it passes', async () => {
    await insertRaw('unheard-of', { type: 'meter.something-else' });
    await insertRaw('unheard-of', { version: 2, payload: '{"meter":"unheard-of","value":2,"deed":"book"}' });
    await expect.poll(() => booked(ledger(), 'unheard-of'), EVENTUALLY).toEqual([2]);
    expect(await troubleOf(ledger(), 'unheard-of')).toEqual([]);
  });

  it('because its handler never ends: it is given up, named, and holds its lane up for moments only', async () => {
    await read(app, 'sleeper', 1, 'wait 60000');
    await read(app, 'sleeper', 1);
    await othersFlow('wait');
    const [head, behind] = await troubleOf(ledger(), 'sleeper');
    expect(head).toMatchObject({ handler: 'BookReading', state: 'head', error: { name: 'HandlerTooSlow', message: expect.stringMatching(/BookReading was still at work after \d+ ms/) } });
    expect(behind).toMatchObject({ state: 'queued' });
    await expect.poll(() => tallied(ledger(), 'sleeper'), EVENTUALLY).toBe(2);
  });

  it('or only slowly, one after the other: its lane commits what it has done in between, in order', async () => {
    const lane = laneOf('default', 'meter.meter', 'plodder');
    await read(app, 'plodder', 40, 'wait 30');
    await expect.poll(() => booked(ledger(), 'plodder'), EVENTUALLY).toEqual(upTo(40));
    // Each takes 30 ms at least, and a transaction stops at 200: of 40 in one, not even a quarter fit.
    const { rows } = await ledger().query<{ positions: number }>(
      `select count(distinct c.n)::int positions from ledger.cursor c, (select min(n) low, max(n) high from meter.log l join meter.outbox o using (position) where o.aggregate_id = 'plodder') p
       where c.reader = 'ledger' and c.lane = $1 and c.n between p.low and p.high`,
      [lane],
    );
    expect(rows[0]!.positions).toBeGreaterThanOrEqual(4);
    expect(await troubleOf(ledger(), 'plodder')).toEqual([]);
  });

  it('because it blocks the event loop longer than its transaction lives: found at its first attempt, and the place in the code', async () => {
    await read(app, 'blocker', 1, 'block 2500');
    await othersFlow('block');
    const [head] = await troubleOf(ledger(), 'blocker');
    expect(head).toMatchObject({ handler: 'BookReading', error: { name: 'BlockedEventLoop', message: expect.stringMatching(/BookReading of "ledger" blocked the event loop.*spin \(.*contexts\.ts/) } });
    await expect.poll(() => tallied(ledger(), 'blocker'), EVENTUALLY).toBe(1);
  });

  /** An event as it might come from another version of the publisher, on the lane of its aggregate. */
  async function insertRaw(meter: string, { payload, schemaVersion = 1, type = 'meter.reading-taken', version = 1 }: { payload?: string; schemaVersion?: number; type?: string; version?: number }): Promise<void> {
    await app.db('meter').query(
      `insert into meter.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       values (gen_random_uuid(), 'default', 3, 'meter.meter', $1, $5, $2, $3, $4, '{"correlationId":"raw"}')`,
      [meter, type, schemaVersion, payload ?? JSON.stringify({ meter, value: 1, deed: 'book' }), version],
    );
  }
});
