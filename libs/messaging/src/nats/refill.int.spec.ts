import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LanePosition } from '../source.js';
import type { StoredEvent } from '../envelope.js';
import type { NatsConnection } from './connection.js';
import { decodeEvent } from './event-codec.js';
import { MemoryLog, Recorded, connectTo, dropStreams, ownSubjects, someEvents, until } from './fixture.spec.js';
import { JetStreamSource } from './jetstream-source.js';
import { Relay } from './relay.js';
import { readTail } from './stream-tail.js';

const LANES = 4;
const subjects = ownSubjects();
const stream = subjects.stream('ordering');
let connection: NatsConnection;
let logger: Recorded;
let toStop: { stop(): Promise<void> }[];

beforeAll(async () => {
  connection = await connectTo();
});
beforeEach(async () => {
  await dropStreams(connection, subjects);
  logger = new Recorded();
  toStop = [];
});
afterEach(async () => {
  for (const one of toStop.reverse()) await one.stop();
});
afterAll(async () => {
  await dropStreams(connection, subjects);
  await connection.close();
});

async function relayOf(log: MemoryLog): Promise<Relay> {
  const relay = new Relay({ log, connection, subjects, retentionDays: 7, logger });
  toStop.push(relay);
  await relay.start();
  return relay;
}

const reached = (n: number) => until(async () => (await readTail(connection.jsm, stream).catch(() => undefined))?.n === n, `the stream ends with event ${n}`);

/** Copies the log to the stream, which then loses what has the sequences `from` to `to`. */
async function streamThatLost(log: MemoryLog, from: number, to: number): Promise<void> {
  await relayOf(log);
  await reached(log.rows.length);
  for (let seq = from; seq <= to; seq++) await connection.jsm.streams.deleteMessage(stream, seq);
}

/** Follows all lanes from their beginning; keeps what it was given, in order. */
async function follow(): Promise<{ numbers(): number[]; look(): Promise<void>; source: JetStreamSource }> {
  const source = new JetStreamSource({ context: 'ordering', connection, subjects, logger });
  toStop.push(source);
  await source.start();
  const seen: StoredEvent[] = [];
  const positions = new Map(Array.from({ length: LANES }, (_, lane) => [lane, { lane, n: 0 } as LanePosition]));
  return {
    source,
    numbers: () => seen.map(({ n }) => n).toSorted((left, right) => left - right),
    look: async () => {
      for (const [lane, events] of await source.fetch([...positions.values()], 50)) {
        for (const event of events) {
          expect(event.prev).toBeLessThanOrEqual(positions.get(lane)!.n);
          expect(event.n).toBeGreaterThan(positions.get(lane)!.n);
          positions.set(lane, { lane, n: event.n, ...(event.hint && { hint: event.hint }) });
          seen.push(event);
        }
      }
    },
  };
}

/** Gives events up to a number only, except to who looks one up. */
class HaltingLog extends MemoryLog {
  halt = Number.POSITIVE_INFINITY;
  override async read(after: number, limit: number): Promise<StoredEvent[]> {
    const rows = await super.read(after, limit);
    return limit === 1 ? rows : rows.filter(({ n }) => n <= this.halt);
  }
}

const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('A stream that has lost events in the middle', () => {
  it('gets them again when a reader misses them, while others are published, and nobody sees one twice', async () => {
    const log = new MemoryLog(someEvents(300));
    const early = await follow();
    await streamThatLost(log, 0, -1);
    await until(async () => (await early.look(), early.numbers().length === 300));
    for (let seq = 101; seq <= 200; seq++) await connection.jsm.streams.deleteMessage(stream, seq);
    const late = await follow();
    await until(async () => {
      if (log.rows.length < 600) log.append(...someEvents(10, { first: log.rows.length + 1 }));
      await late.look();
      await early.look();
      return late.numbers().length === 600 && early.numbers().length === 600;
    });
    expect([late.numbers(), early.numbers()]).toEqual([oneTo(600), oneTo(600)]);
    expect(late.source.problems()).toEqual([]);
    expect(logger.matching(/warn .*has lost events behind number \d+/).length).toBeGreaterThan(0);
  });

  it('is filled to the end by another relay when the first is gone in the middle', async () => {
    const log = new HaltingLog(someEvents(500));
    await streamThatLost(log, 101, 104);
    log.halt = 300;
    const reader = await follow();
    await until(async () => (await reader.look(), (await readTail(connection.jsm, stream))?.n === 300));
    await toStop.shift()!.stop();
    log.halt = Number.POSITIVE_INFINITY;
    await relayOf(log);
    await reached(500);
    await until(async () => (await reader.look(), reader.numbers().length === 500));
    expect(reader.numbers()).toEqual(oneTo(500));
  });

  it('is filled to the end past events that are too large, which stay refused', async () => {
    const rows = someEvents(12);
    for (const n of [1, 8]) rows[n - 1] = { ...rows[n - 1]!, payload: { blob: 'x'.repeat(1_500_000) } };
    const log = new MemoryLog(rows);
    await streamThatLost(log, 0, -1);
    // Nobody misses anything, so nobody asks again when the first of them is refused.
    connection.client.publish(subjects.refill('ordering'), JSON.stringify({ lane: rows[0]!.lane, n: 0 }));
    await until(async () => (await stored()) === 24);
    await reached(12);
    expect([...log.refusals].toSorted()).toEqual([1, 8]);
  });

  it('stays as it is when the outbox has them no more, and says so once', async () => {
    const log = new MemoryLog(someEvents(300));
    await streamThatLost(log, 1, 50);
    log.rows.splice(0, 40);
    const reader = await follow();
    await until(async () => (await reader.look(), logger.matching(/error A reader of "ordering" stands at event 0 .*neither in the stream nor in the outbox/).length === LANES));
    expect(reader.source.problems()[0]).toMatch(/has lost event/);
    expect(await stored()).toBe(300);
  });

  it('is not filled again for what is no request', async () => {
    await streamThatLost(new MemoryLog(someEvents(20)), 5, 5);
    for (const text of ['', '{}', '{"lane":"0","n":1}', '{"lane":0,"n":1.5}', 'null']) connection.client.publish(subjects.refill('ordering'), text);
    await connection.client.flush();
    const reader = await follow();
    await until(async () => (await reader.look(), reader.numbers().length === 20));
    // Only what the reader has asked for, from where it stood.
    const behind = someEvents(20).find(({ n }) => n === 5)!.prev;
    expect(await stored()).toBe(20 + 20 - behind);
    const again = await connection.jsm.streams.getMessage(stream, { seq: 21 });
    expect(decodeEvent({ headers: again!.header, data: again!.data }).n).toBe(behind + 1);
  });
});

async function stored(): Promise<number> {
  return (await connection.jsm.streams.info(stream)).state.last_seq;
}
