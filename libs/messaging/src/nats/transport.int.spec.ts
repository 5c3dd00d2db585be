import { afterEach, describe, expect, it } from 'vitest';
import { NatsConnection } from './connection.js';
import { MemoryLog, NATS_URL, OwnServer, Recorded, dropStreams, ownSubjects, someEvents, until } from './fixture.spec.js';
import { NatsTransport } from './transport.js';

const subjects = ownSubjects();
const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function transportTo(url: string) {
  const logger = new Recorded();
  const connection = new NatsConnection({ url, logger });
  cleanUp.push(() => connection.close());
  return { connection, transport: new NatsTransport({ connection, subjects, retentionDays: 7, logger }) };
}

async function run(transport: NatsTransport) {
  const source = transport.source('ordering');
  const relay = transport.relay(new MemoryLog(someEvents(10, { lanes: 1 })));
  for (const part of [transport, relay, source]) {
    cleanUp.push(() => part.stop());
    await part.start();
  }
  return source;
}

const arrived = (source: Awaited<ReturnType<typeof run>>) =>
  until(async () => (await source.fetch([{ lane: 0, n: 0 }], 10)).get(0)?.length === 10, 'the events have arrived');

describe('NatsTransport', () => {
  it('brings events from a log to a reader', async () => {
    const { connection, transport } = transportTo(NATS_URL);
    cleanUp.push(() => dropStreams(connection, subjects));
    await arrived(await run(transport));
    expect(transport.healthy()).toBe(true);
    expect(transport.problems()).toEqual([]);
  });

  it('starts without NATS and works once it is there', async () => {
    const server = await OwnServer.prepare();
    cleanUp.push(() => server.remove());
    const { transport } = transportTo(server.url);
    const source = await run(transport);
    expect(transport.healthy()).toBe(false);
    server.start();
    await arrived(source);
    expect(transport.healthy()).toBe(true);
  });
});
