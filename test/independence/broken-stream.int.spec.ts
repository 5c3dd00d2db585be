import 'reflect-metadata';
import { MsgHdrsImpl } from '@nats-io/transport-node';
import type { StoredEvent } from '@nestbox/messaging';
import { Subjects } from '@nestbox/messaging';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NatsConnection } from '../../libs/messaging/src/nats/connection.js';
import { encodeEvent } from '../../libs/messaging/src/nats/event-codec.js';
import { ensureStream } from '../../libs/messaging/src/nats/stream.js';
import { booked, EVENTUALLY, troubleOf, upTo } from './books.ts';
import { LedgerModule } from './contexts.ts';
import { connect, dropStreams } from './streams.ts';

describe('a message of the stream whose data is broken', () => {
  const namespace = `independence_broken_${process.pid}`;
  const subjects = new Subjects(namespace);
  let connection: NatsConnection;
  let app: TestApplication;

  beforeAll(async () => {
    connection = await connect();
    await ensureStream(connection.jsm, 'meter', { subjects, retentionDays: 1 });
    app = await TestApplication.start([LedgerModule], { topology: { events: 'nats' }, settings: { NATS_NAMESPACE: namespace } });
  });

  afterAll(async () => {
    await app?.stop();
    await dropStreams(connection, namespace);
    await connection.close();
  });

  it('is dead at once and shown as it came; its key waits, and its lane goes on', async () => {
    const heads = new Map<string, number>();
    const publish = async (n: number, meter: string, change: (data: string) => string = (data) => data) => {
      const value = (heads.get(meter) ?? 0) + 1;
      heads.set(meter, value);
      const { head, data } = encodeEvent(reading(n, meter, value));
      await connection.js.publish(subjects.event('meter', reading(n, meter, value)), change(data), { headers: MsgHdrsImpl.decode(head) });
    };
    await publish(1, 'sound');
    await publish(2, 'broken', (data) => data.slice(0, -3));
    await publish(3, 'sound');
    await publish(4, 'broken');
    await publish(5, 'sound');
    await expect.poll(() => booked(app.db('ledger'), 'sound'), EVENTUALLY).toEqual(upTo(3));
    expect(await booked(app.db('ledger'), 'broken')).toEqual([]);
    const trouble = (await troubleOf(app.db('ledger'), 'broken')).filter(({ handler }) => handler === 'BookReading');
    expect(trouble).toMatchObject([{ state: 'dead', error: { name: 'UndecodableEvent', message: expect.stringMatching(/meter\.reading-taken \(.*\) cannot be decoded: it is not JSON \(/) } }, { state: 'queued' }]);
    const { rows } = await app.db('ledger').query<{ payload: unknown }>("select event->'payload' payload from ledger.trouble where state = 'dead' limit 1");
    expect(rows[0]!.payload).toMatch(/^\{"meter":"broken","value":1,"deed"/);
  });
});

function reading(n: number, meter: string, value: number): StoredEvent {
  return {
    n, prev: n - 1, lane: 5, id: `00000000-0000-7000-8000-00000000000${n}`, tenantId: 'acme', aggregateType: 'meter.meter', aggregateId: meter, aggregateVersion: value,
    type: 'meter.reading-taken', schemaVersion: 1, payload: { meter, value, deed: 'book' }, headers: { correlationId: 'c' }, createdAt: new Date().toISOString(),
  };
}
