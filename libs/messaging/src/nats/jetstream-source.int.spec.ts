import { MsgHdrsImpl } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../envelope.js';
import type { LanePosition } from '../source.js';
import type { NatsConnection } from './connection.js';
import { encodeEvent } from './event-codec.js';
import { MemoryLog, OwnServer, Recorded, connectTo, dropStreams, ownSubjects, random, someEvents, until } from './fixture.spec.js';
import { JetStreamSource } from './jetstream-source.js';
import { Relay } from './relay.js';
import { ensureStream } from './stream.js';

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

/** A reader as simple as can be: it takes batches and remembers where it is. Doubles, gaps and disorder are errors. */
class Reader {
  readonly seen: StoredEvent[] = [];
  readonly positions = new Map<number, LanePosition>();
  readonly source: JetStreamSource;

  constructor(start: readonly LanePosition[], { over = connection, bufferPerLane = 1_000 } = {}) {
    for (const position of start) this.positions.set(position.lane, position);
    this.source = new JetStreamSource({ context: 'ordering', connection: over, subjects, bufferPerLane, logger });
    toStop.push(this.source);
  }

  static async at(start: readonly LanePosition[], options: { over?: NatsConnection; bufferPerLane?: number } = {}): Promise<Reader> {
    const reader = new Reader(start, options);
    await reader.source.start();
    return reader;
  }

  async step(lanes: readonly number[] = [...this.positions.keys()], size = 50): Promise<void> {
    const found = await this.source.fetch(lanes.map((lane) => this.positions.get(lane)!), size);
    for (const [lane, events] of found) {
      expect(events.length).toBeLessThanOrEqual(size);
      for (const event of events) {
        const { n } = this.positions.get(lane)!;
        expect(event).toMatchObject({ lane });
        expect(event.n).toBeGreaterThan(n);
        expect(event.prev).toBeLessThanOrEqual(n);
        this.seen.push(event);
        this.positions.set(lane, { lane, n: event.n, ...(event.hint ? { hint: event.hint } : {}) });
      }
    }
  }

  async readUntil(count: number): Promise<void> {
    await until(async () => {
      await this.step();
      return this.seen.length >= count;
    }, `the reader has seen ${count} events`);
  }

  get numbers(): number[] {
    return this.seen.map((event) => event.n).sort((a, b) => a - b);
  }
}

const everyLane = Array.from({ length: LANES }, (_, lane): LanePosition => ({ lane, n: 0 }));
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function relay(rows: StoredEvent[], over = connection): Promise<MemoryLog> {
  const log = new MemoryLog(rows);
  const one = new Relay({ log, connection: over, subjects, retentionDays: 7, logger });
  toStop.push(one);
  await one.start();
  return log;
}

const declare = () => ensureStream(connection.jsm, 'ordering', { subjects, retentionDays: 7, logger });

async function publish(...events: StoredEvent[]): Promise<void> {
  for (const event of events) {
    const { head, data } = encodeEvent(event);
    await connection.js.publish(subjects.event('ordering', event), data, { headers: MsgHdrsImpl.decode(head) });
  }
}

describe('JetStreamSource', () => {
  it('brings every event of every lane, in order, before and after it started', async () => {
    const log = await relay(someEvents(2_000));
    const reader = await Reader.at(everyLane);
    await reader.readUntil(2_000);
    log.append(...someEvents(500, { first: 2_001 }));
    await reader.readUntil(2_500);
    expect(reader.numbers).toEqual(from(1, 2_500));
    expect(reader.source.problems()).toEqual([]);
  });

  it('waits for a stream that is not there yet, and says so', async () => {
    const reader = await Reader.at(everyLane);
    await reader.step();
    await until(() => reader.source.problems().some((problem) => /no stream .* yet.*"ordering"/.test(problem)));
    await relay(someEvents(10));
    await reader.readUntil(10);
    expect(reader.source.problems()).toEqual([]);
  });

  it('wakes who listens, and not once for every event', async () => {
    await declare();
    const reader = await Reader.at(everyLane);
    let wakes = 0;
    const off = reader.source.onWake(() => wakes++);
    await reader.step();
    await publish(...someEvents(1));
    await until(() => wakes > 0);
    await reader.readUntil(1);
    off();
    const before = wakes;
    await publish(...someEvents(20, { first: 2 }));
    await reader.readUntil(21);
    expect(wakes).toBe(before);
  });

  it('resumes at the hint of a stored position, and asks nothing of the stream before it', async () => {
    await relay(someEvents(3_000));
    const first = await Reader.at(everyLane);
    await first.readUntil(3_000);
    await connection.jsm.streams.purge(stream, { seq: 3_001 });
    await publish(...someEvents(100, { first: 3_001 }));
    const second = await Reader.at([...first.positions.values()]);
    await second.readUntil(100);
    expect(second.numbers).toEqual(from(3_001, 3_100));
  });

  it('reads from the first message for a position without a hint', async () => {
    await relay(someEvents(3_000));
    const heads = new Map(someEvents(2_000).map((event) => [event.lane, { lane: event.lane, n: event.n }]));
    const reader = await Reader.at([...heads.values()]);
    await reader.readUntil(1_000);
    expect(reader.numbers).toEqual(from(2_001, 3_000));
  });

  it('does not skip events of a recreated stream (cursor into another stream)', async () => {
    const log = await relay(someEvents(40));
    const first = await Reader.at(everyLane);
    await first.readUntil(40);
    await first.source.stop();
    await toStop.shift()!.stop();
    await connection.jsm.streams.delete(stream);
    // The new stream has fewer messages than the stored sequence says: the server would start after its end.
    await relay([...log.rows, ...someEvents(20, { first: 41 })]);
    const second = await Reader.at([...first.positions.values()]);
    await second.readUntil(20);
    expect(second.numbers).toEqual(from(41, 60));
  });

  it('notices that the stream is deleted and recreated while it reads', async () => {
    const log = await relay(someEvents(40));
    const reader = await Reader.at(everyLane);
    await reader.readUntil(40);
    for (const round of [1, 2, 3]) {
      await connection.jsm.streams.delete(stream);
      log.append(...someEvents(20, { first: 21 + round * 20 }));
      await reader.readUntil(40 + round * 20);
    }
    expect(reader.numbers).toEqual(from(1, 100));
  });

  it('drops duplicates and late repetitions, whatever their sequence', async () => {
    await declare();
    const events = someEvents(60);
    await publish(...events.slice(0, 30), ...events.slice(10, 20), ...events.slice(0, 5), ...events.slice(25, 60));
    const reader = await Reader.at(everyLane);
    await reader.readUntil(60);
    await publish(...events.slice(40, 60));
    await publish(...someEvents(1, { first: 61 }));
    await reader.readUntil(61);
    expect(reader.numbers).toEqual(from(1, 61));
  });

  it('gives only the lanes that are asked for, and a lane claimed later from its position on', async () => {
    const events = someEvents(1_000);
    await relay(events);
    const reader = await Reader.at(everyLane);
    await until(async () => {
      await reader.step([0, 1]);
      return reader.seen.length === events.filter((event) => event.lane < 2).length;
    });
    expect(new Set(reader.seen.map((event) => event.lane))).toEqual(new Set([0, 1]));
    await reader.readUntil(1_000);
    expect(reader.numbers).toEqual(from(1, 1_000));
  });

  it('keeps its promise while lanes come and go, batches are rolled back and events flow', async () => {
    const events = someEvents(6_000);
    const log = await relay(events.slice(0, 500));
    const reader = await Reader.at(everyLane, { bufferPerLane: 80 });
    const next = random(7);
    const committed = new Map(reader.positions);
    const applied = new Set<number>();
    await until(async () => {
      if (log.rows.length < events.length) log.append(...events.slice(log.rows.length, log.rows.length + 100));
      const lanes = everyLane.map(({ lane }) => lane).filter(() => next() < 0.7);
      reader.seen.length = 0;
      await reader.step(lanes, 40);
      if (next() < 0.2) {
        for (const [lane, position] of committed) reader.positions.set(lane, position);
      } else {
        for (const { n } of reader.seen) applied.add(n);
        if (next() < 0.7) for (const [lane, position] of reader.positions) committed.set(lane, position);
      }
      return applied.size === events.length;
    });
    expect(logger.matching(/^error/)).toEqual([]);
    expect(reader.source.problems()).toEqual([]);
  });

  it('gives a batch again that was rolled back, also long after', async () => {
    await relay(someEvents(8_000));
    const reader = await Reader.at(everyLane);
    await reader.readUntil(1_000);
    const early = new Map(reader.positions);
    await reader.readUntil(8_000);
    reader.seen.length = 0;
    for (const [lane, position] of early) reader.positions.set(lane, position);
    const left = 8_000 - [...someEvents(8_000)].filter((event) => event.n <= early.get(event.lane)!.n).length;
    await reader.readUntil(left);
    expect(reader.seen).toHaveLength(left);
  });

  it('lets a lane that nobody reads hold up no other, and catches up on it', async () => {
    const events = someEvents(4_000);
    await relay(events);
    const reader = await Reader.at(everyLane, { bufferPerLane: 100 });
    await reader.step();
    await until(async () => {
      await reader.step([1, 2, 3]);
      return reader.seen.filter((event) => event.lane !== 0).length === events.filter((event) => event.lane !== 0).length;
    });
    await reader.readUntil(4_000);
    expect(reader.numbers).toEqual(from(1, 4_000));
  });

  it('reads a long backlog with small buffers', async () => {
    await relay(someEvents(10_000));
    const reader = await Reader.at(everyLane, { bufferPerLane: 60 });
    await reader.readUntil(10_000);
    expect(reader.numbers).toEqual(from(1, 10_000));
  });

  it('stops a lane at a gap, reports it, and goes on when the stream has been filled again', async () => {
    await declare();
    const events = someEvents(100);
    const lost = events.find((event) => event.n > 40 && event.lane === 2)!;
    const next = events.find((event) => event.prev === lost.n)!;
    await publish(...events.filter((event) => event !== lost));
    const reader = await Reader.at(everyLane);
    const reachable = events.filter((event) => event.lane !== 2 || event.n < lost.n);
    await reader.readUntil(reachable.length);
    await until(() => reader.source.problems().length === 1);
    expect(reader.source.problems()[0]).toMatch(new RegExp(`lost event ${lost.n} of lane 2, which stands at ${lost.prev}[\\s\\S]*asked to publish it again`));
    expect(reader.seen.some((event) => event.n === next.n)).toBe(false);

    await connection.jsm.streams.delete(stream);
    await relay(events);
    await reader.readUntil(100);
    expect(reader.numbers).toEqual(from(1, 100));
    expect(reader.source.problems()).toEqual([]);
  });

  it('is not misled by a hint that points too far', async () => {
    await relay(someEvents(200));
    const first = await Reader.at(everyLane);
    await first.readUntil(200);
    const { created } = [...first.positions.values()][0]!.hint!;
    const heads = new Map(someEvents(100).map((event) => [event.lane, { lane: event.lane, n: event.n, hint: { created, sequence: 180 } }]));
    const second = await Reader.at([...heads.values()]);
    await second.readUntil(100);
    expect(second.numbers).toEqual(from(101, 200));
    expect(second.source.problems()).toEqual([]);
  });

  it('skips what is no event, and says so', async () => {
    await declare();
    await publish(...someEvents(5));
    await connection.js.publish(subjects.event('ordering', someEvents(1)[0]!), 'not an event');
    await connection.js.publish(subjects.events('ordering').replace('>', 'x'), 'not even a lane');
    await publish(...someEvents(5, { first: 6 }));
    const reader = await Reader.at(everyLane);
    await reader.readUntil(10);
    expect(logger.matching(/error .*sequence 6 .*not a Nestbox event/).length).toBeGreaterThan(0);
  });

  it('survives restarts of the server', async () => {
    const server = await OwnServer.prepare();
    server.start();
    const own = await connectTo(server.url);
    try {
      const log = await relay(someEvents(100), own);
      const reader = await Reader.at(everyLane, { over: own });
      await reader.readUntil(100);
      for (const round of [1, 2]) {
        await server.stop();
        log.append(...someEvents(100, { first: round * 100 + 1 }));
        await until(() => own.status() === 'disconnected');
        await reader.step();
        server.start();
        await reader.readUntil(100 + round * 100);
      }
      expect(reader.numbers).toEqual(from(1, 300));
    } finally {
      for (const one of toStop.splice(0)) await one.stop();
      await own.close();
      await server.remove();
    }
  });

  it('leaves no consumer behind', async () => {
    await relay(someEvents(10));
    const reader = await Reader.at(everyLane);
    await reader.readUntil(10);
    expect((await connection.jsm.streams.info(stream)).state.consumer_count).toBe(1);
    await reader.source.stop();
    expect((await connection.jsm.streams.info(stream)).state.consumer_count).toBe(0);
  });
});
