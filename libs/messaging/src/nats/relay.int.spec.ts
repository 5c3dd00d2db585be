import { DiscardPolicy } from '@nats-io/jetstream';
import { MsgHdrsImpl, nanos } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../envelope.js';
import type { NatsConnection } from './connection.js';
import { decodeEvent, encodeEvent, headerLine } from './event-codec.js';
import { MemoryLog, OwnServer, Recorded, connectTo, dropStreams, ownSubjects, someEvents, until, type Lease } from './fixture.spec.js';
import { Relay } from './relay.js';
import { readTail } from './stream-tail.js';

const subjects = ownSubjects();
const stream = subjects.stream('ordering');
let connection: NatsConnection;
let logger: Recorded;
let relays: Relay[];

beforeAll(async () => {
  connection = await connectTo();
});
beforeEach(async () => {
  await dropStreams(connection, subjects);
  logger = new Recorded();
  relays = [];
});
afterEach(async () => {
  for (const relay of relays) await relay.stop();
});
afterAll(async () => {
  await dropStreams(connection, subjects);
  await connection.close();
});

function relayOf(log: MemoryLog, over = connection): Relay {
  const relay = new Relay({ log, connection: over, subjects, retentionDays: 7, logger });
  relays.push(relay);
  void relay.start();
  return relay;
}

/** Everything in the stream, as events; foreign messages are left out. */
async function stored(over = connection): Promise<StoredEvent[]> {
  const { state } = await over.jsm.streams.info(stream);
  if (state.messages === 0) return [];
  const consumer = await over.js.consumers.get(stream);
  const events: StoredEvent[] = [];
  for await (const message of await consumer.consume({ max_messages: 1000 })) {
    if (message.headers?.has('Nestbox-N')) events.push(decodeEvent(message));
    if (message.seq === state.last_seq) break;
  }
  await consumer.delete();
  return events;
}

const reached = (n: number, over = connection) =>
  until(async () => (await readTail(over.jsm, stream).catch(() => undefined))?.n === n, `the stream has event ${n}`);
const numbers = (events: readonly StoredEvent[]) => events.map((event) => event.n);
const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('Relay', () => {
  it('copies the log in order, as it is and as it grows', async () => {
    const events = someEvents(10_000);
    const log = new MemoryLog(events.slice(0, 9_000));
    relayOf(log);
    await reached(9_000);
    log.append(...events.slice(9_000));
    await reached(10_000);
    expect(await stored()).toEqual(events);
    await until(() => log.noted === 10_000);
  });

  it('resumes after a restart where the stream ends, whatever was noted', async () => {
    const log = new MemoryLog(someEvents(100));
    const first = relayOf(log);
    await reached(100);
    await first.stop();
    log.append(...someEvents(50, { first: 101 }));
    log.noted = 0;
    relayOf(log);
    await reached(150);
    expect(numbers(await stored())).toEqual(oneTo(150));
  });

  it('stores nothing after an event that was refused, until that one is in', async () => {
    const log = new MemoryLog(someEvents(1));
    const relay = relayOf(log);
    await reached(1);
    await connection.jsm.streams.update(stream, { max_msgs: 500, discard: DiscardPolicy.New });
    log.append(...someEvents(999, { first: 2 }));
    await until(() => /Event 501 .*was not published: maximum messages exceeded/.test(relay.problem() ?? ''));
    await connection.jsm.streams.update(stream, { max_msgs: -1, discard: DiscardPolicy.Old });
    await reached(1_000);
    expect(numbers(await stored())).toEqual(oneTo(1_000));
    await until(() => relay.problem() === undefined);
  });

  it('puts a tombstone where the stream will never take an event, in the middle of others', async () => {
    const log = new MemoryLog(someEvents(1));
    relayOf(log);
    await reached(1);
    await connection.jsm.streams.update(stream, { max_msg_size: 4_000 });
    const rows = someEvents(999, { first: 2 });
    rows[498] = { ...rows[498]!, payload: { filler: 'x'.repeat(5_000) } };
    log.append(...rows);
    await reached(1_000);
    const found = await stored();
    expect(numbers(found)).toEqual(oneTo(1_000));
    expect(found.filter((event) => event.tombstone !== undefined).map((event) => event.n)).toEqual([500]);
    expect([...log.refusals]).toEqual([500]);
  });

  it('publishes what was too large once, when the stream is filled again and takes more', async () => {
    const log = new MemoryLog(someEvents(3));
    const relay = relayOf(log);
    await reached(3);
    await connection.jsm.streams.update(stream, { max_msg_size: 4_000 });
    const rows = someEvents(3, { first: 4 });
    rows[1] = { ...rows[1]!, payload: { filler: 'x'.repeat(5_000) } };
    log.append(...rows);
    await reached(6);
    expect([...log.refusals]).toEqual([5]);
    await relay.stop();
    await connection.jsm.streams.delete(stream);
    relayOf(log);
    await reached(6);
    expect((await stored()).filter(({ tombstone }) => tombstone !== undefined)).toEqual([]);
    expect([...log.refusals]).toEqual([]);
  });

  it('gets by when somebody else publishes into its stream in the middle', async () => {
    const log = new MemoryLog(someEvents(3_000));
    relayOf(log);
    for (let i = 0; i < 20; i++) {
      await until(async () => ((await readTail(connection.jsm, stream))?.n ?? -1) >= i * 100);
      await connection.js.publish(subjects.events('ordering').replace('>', 'foreign'), `${i}`);
    }
    await reached(3_000);
    expect(numbers(await stored())).toEqual(oneTo(3_000));
  });

  it('leaves one copy and one order when two relays both believe to own the log', async () => {
    const rows = someEvents(4_000);
    const logs = [new MemoryLog([...rows]), new MemoryLog([...rows])];
    for (const log of logs) {
      log.believesToOwn = true;
      relayOf(log);
    }
    await reached(4_000);
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(numbers(await stored())).toEqual(oneTo(4_000));
  });

  it('gives the lease back when a zombie keeps publishing, and carries on', async () => {
    const lease: Lease = { owner: undefined };
    const rows = someEvents(200);
    const owner = new MemoryLog(rows.slice(0, 100), lease);
    relayOf(owner);
    await reached(100);
    for (const n of [101, 102]) {
      const event = rows[n - 1]!;
      const { head, data } = encodeEvent(event, headerLine('Nestbox-Relay', 'somebody-else'));
      await connection.js.publish(subjects.event('ordering', event), data, { headers: MsgHdrsImpl.decode(head), msgID: event.id });
      owner.append(event);
      await until(() => owner.reads.includes(n), `the owner has seen event ${n}`);
    }
    await until(() => logger.matching(/giving the lease back/).length === 1);
    owner.append(...rows.slice(102));
    await reached(200);
    expect(numbers(await stored())).toEqual(oneTo(200));
  });

  it('stops sending as soon as it does not own the log', async () => {
    const lease: Lease = { owner: undefined };
    const rows = someEvents(60);
    const loser = new MemoryLog(rows.slice(0, 50), lease);
    relayOf(loser);
    await reached(50);
    lease.owner = new MemoryLog();
    loser.append(...rows.slice(50));
    await until(() => !loser.owned());
    const reads = loser.reads.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(loser.reads.length - reads).toBeLessThanOrEqual(1);
    expect((await readTail(connection.jsm, stream))!.n).toBe(50);
  });

  it('refuses a zombie that wakes up after the duplicate window', async () => {
    const rows = someEvents(30);
    const zombie = new MemoryLog(rows.slice(0, 10));
    relayOf(zombie);
    await reached(10);
    // It is paused with its knowledge of the stream (10), while a new owner publishes on.
    zombie.believesToOwn = true;
    const owner = relayOf(new MemoryLog(rows.slice(0, 20)));
    await reached(20);
    await owner.stop();
    await connection.jsm.streams.update(stream, { duplicate_window: nanos(100) });
    const late = rows[10]!;
    const publishLate = () => connection.js.publish(subjects.event('ordering', late), '{}', { msgID: late.id, expect: { lastSequence: 10 } });
    await until(async () => (await publishLate().catch((error: Error) => error.message)) === 'wrong last sequence: 20', 'the server has forgotten the id');
    zombie.append(...rows.slice(10));
    await reached(30);
    expect(numbers(await stored())).toEqual(oneTo(30));
  });

  it('fills a stream again that was deleted, without waiting for news', async () => {
    relayOf(new MemoryLog(someEvents(300)));
    await reached(300);
    await connection.jsm.streams.delete(stream);
    await reached(300);
    expect(numbers(await stored())).toEqual(oneTo(300));
  });

  it('fills a stream again that was deleted under its hands', async () => {
    const log = new MemoryLog(someEvents(300));
    relayOf(log);
    await reached(300);
    await connection.jsm.streams.delete(stream);
    log.append(...someEvents(100, { first: 301 }));
    await reached(400);
    expect(numbers(await stored())).toEqual(oneTo(400));
  });

  it('fills a stream again that was emptied, although the server remembers the ids', async () => {
    relayOf(new MemoryLog(someEvents(300)));
    await reached(300);
    await connection.jsm.streams.purge(stream);
    await reached(300);
    expect(numbers(await stored())).toEqual(oneTo(300));
  });

  it('sends the lost end of a stream again', async () => {
    const log = new MemoryLog(someEvents(300));
    const first = relayOf(log);
    await reached(300);
    await first.stop();
    for (let sequence = 300; sequence > 290; sequence--) await connection.jsm.streams.deleteMessage(stream, sequence);
    relayOf(log);
    await reached(300);
    expect(numbers(await stored())).toEqual(oneTo(300));
  });

  it('puts a tombstone where an event is too large for NATS', async () => {
    const rows = someEvents(20);
    rows[9] = { ...rows[9]!, payload: { blob: 'x'.repeat(1_500_000) } };
    const log = new MemoryLog(rows);
    relayOf(log);
    await reached(20);
    const found = await stored();
    expect(numbers(found)).toEqual(oneTo(20));
    expect(found[9]).toMatchObject({ n: 10, prev: rows[9].prev, id: rows[9].id, type: 'ordering.order-placed', payload: {}, tombstone: expect.stringContaining('payload') as string });
    expect([...log.refusals]).toEqual([10]);
    expect(logger.matching(/error Event 10 .* too large/)).toHaveLength(1);
  });

  it('waits, and says why, when not even a tombstone fits', async () => {
    const log = new MemoryLog(someEvents(1));
    const relay = relayOf(log);
    await reached(1);
    await connection.jsm.streams.update(stream, { max_msg_size: 100 });
    log.append(...someEvents(2, { first: 2 }));
    await until(() => /Event 2 .* so is its tombstone/.test(relay.problem() ?? ''));
    await connection.jsm.streams.update(stream, { max_msg_size: -1 });
    await reached(3);
    await until(() => relay.problem() === undefined);
    expect(logger.matching(/so is its tombstone/)).toHaveLength(1);
  });

  it('does not publish over the events of another database, and says what to do', async () => {
    const old = relayOf(new MemoryLog(someEvents(50)));
    await reached(50);
    await old.stop();
    const fresh = new MemoryLog(someEvents(10).map((event) => ({ ...event, id: event.id.replace('-7000-', '-7001-') })));
    const relay = relayOf(fresh);
    await until(() => relay.problem() !== undefined);
    expect(relay.problem()).toMatch(/another database[\s\S]*Delete the stream[\s\S]*NATS_NAMESPACE/);
    expect((await stored()).length).toBe(50);
    await connection.jsm.streams.delete(stream);
    await reached(10);
    await until(() => relay.problem() === undefined);
  });

  it('survives restarts of the server in the middle', async () => {
    const server = await OwnServer.prepare();
    server.start();
    const own = await connectTo(server.url);
    try {
      const log = new MemoryLog(someEvents(100));
      const relay = relayOf(log, own);
      await reached(100, own);
      for (const round of [1, 2]) {
        const first = 100 + (round - 1) * 5_000 + 1;
        log.append(...someEvents(5_000, { first }));
        await server.stop();
        await until(() => own.status() === 'disconnected');
        server.start();
        await until(() => own.status() === 'connected');
        await reached(first + 4_999, own);
      }
      await relay.stop();
      expect(numbers(await stored(own))).toEqual(oneTo(10_100));
    } finally {
      await Promise.all(relays.map((relay) => relay.stop()));
      await own.close();
      await server.remove();
    }
  });
});
