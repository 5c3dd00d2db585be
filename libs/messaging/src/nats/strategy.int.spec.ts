import 'reflect-metadata';
import { Controller, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, Ctx, EventPattern, MessagePattern, Payload, Transport, type ClientProxy } from '@nestjs/microservices';
import { MsgHdrsImpl } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { firstValueFrom, of } from 'rxjs';
import { currentMessage, DomainError, withMessage } from '@nestbox/kernel';
import type { StoredEvent } from '../envelope.js';
import type { NatsConnection } from './connection.js';
import { encodeEvent } from './event-codec.js';
import { NATS_URL, OwnServer, Recorded, connectTo, dropStreams, ownSubjects, someEvents, until } from './fixture.spec.js';
import { RemoteClient } from './remote-client.js';
import { ensureStream } from './stream.js';
import { DomainErrorFilter, EventContext, NatsStrategy, RequestContext } from './strategy.js';

const subjects = ownSubjects();
const seen: unknown[] = [];
let fails = (_n: number) => false;

class Greet {
  static readonly type = 'greeting.greet';
  constructor(readonly name: string) {}
}

@Controller()
class GreetingController {
  @MessagePattern('cmd.greeting.greet')
  @UseFilters(DomainErrorFilter)
  greet(@Payload() { name }: Greet, @Ctx() context: RequestContext) {
    seen.push(context.subject, currentMessage()?.correlationId);
    if (name === '') throw new DomainError({ kind: 'invalid', code: 'greeting.no-name' }, 'Whom?', { name });
    if (name === 'crash') throw new Error('secret');
    if (name === 'flood') return 'x'.repeat(2_000_000);
    return of({ hello: name });
  }

  @EventPattern<string>('ordering.order-placed')
  async placed(@Payload() payload: { n: number }, @Ctx() context: EventContext) {
    await Promise.resolve();
    seen.push([payload.n, context.event.id, currentMessage()?.causationId]);
    if (fails(payload.n)) throw new Error(`poison ${payload.n}`);
  }
}

@Module({ controllers: [GreetingController] })
class GreetingModule {}

const events = someEvents(20);
const cleanUp: (() => Promise<unknown>)[] = [];
let connection: NatsConnection;
let logger: Recorded;
let dead: (StoredEvent | undefined)[];

beforeAll(async () => {
  connection = await connectTo();
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  await dropStreams(connection, subjects);
});
afterAll(() => connection.close());

async function start(over = connection) {
  seen.length = 0;
  dead = [];
  logger = new Recorded();
  await ensureStream(over.jsm, 'ordering', { subjects, retentionDays: 7, logger });
  const strategy = new NatsStrategy({
    connection: over, subjects, group: 'greeter', timeoutMs: 5_000, logger, maxAttempts: 3, retryMs: 20,
    onDead: (event) => dead.push(event),
  });
  const app = await NestFactory.createMicroservice(GreetingModule, { strategy, logger: false });
  await app.listen();
  cleanUp.push(() => app.close());
  return app;
}

async function publish(list: StoredEvent[], over = connection): Promise<void> {
  for (const event of list) {
    const { head, data } = encodeEvent(event);
    await over.js.publish(subjects.event('ordering', event), data, { headers: MsgHdrsImpl.decode(head) });
  }
}

const payloads = () => seen.filter((entry) => Array.isArray(entry)).map((entry) => (entry as [number])[0]);

describe('NatsStrategy: requests', () => {
  function stockClient(): ClientProxy {
    const client = ClientProxyFactory.create({ transport: Transport.NATS, options: { servers: NATS_URL } });
    cleanUp.push(() => client.close());
    return client;
  }
  const pattern = `${subjects.namespace}.cmd.greeting.greet`;

  it('answers a stock Nest client', async () => {
    await start();
    expect(await firstValueFrom(stockClient().send(pattern, { name: 'Ada' }))).toEqual({ hello: 'Ada' });
    expect(seen[0]).toBe(pattern);
  });

  it('answers the remote client, inside its message context', async () => {
    await start();
    const client = new RemoteClient({ connection, subjects, timeoutMs: 5_000 });
    expect(await withMessage({ correlationId: 'c-1', tenantId: 't' }, () => client.request('command', new Greet('Ada')))).toEqual({ hello: 'Ada' });
    expect(seen[1]).toBe('c-1');
  });

  it('brings refusals as they are, and hides everything else', async () => {
    await start();
    const client = new RemoteClient({ connection, subjects, timeoutMs: 5_000 });
    await expect(client.request('command', new Greet(''))).rejects.toMatchObject({ kind: 'invalid', code: 'greeting.no-name', details: { name: '' } });
    await expect(client.request('command', new Greet('crash'))).rejects.toMatchObject({ code: 'internal', message: expect.not.stringContaining('secret') });
    await expect(client.request('command', new Greet('flood'))).rejects.toMatchObject({ code: 'internal' });
    expect(logger.matching(/error .*greet failed.*max_payload/)).toHaveLength(1);
    await expect(firstValueFrom(stockClient().send(pattern, { name: '' }))).rejects.toMatchObject({ code: 'greeting.no-name' });
  });

  it('refuses what is no JSON and lives on', async () => {
    await start();
    const reply = await connection.client.request(pattern, '{', { timeout: 5_000 });
    expect(reply.json()).toMatchObject({ err: { code: 'messaging.malformed-request' }, isDisposed: true });
    expect(await firstValueFrom(stockClient().send(pattern, { name: 'Ada' }))).toEqual({ hello: 'Ada' });
  });
});

describe('NatsStrategy: events', () => {
  it('brings every event of the type, with its envelope and message context, also those from before', async () => {
    fails = () => false;
    await ensureStream(connection.jsm, 'ordering', { subjects, retentionDays: 7, logger: new Recorded() });
    await publish([...events.slice(0, 5), { ...events[0]!, n: 6, prev: 5, type: 'ordering.order-cancelled' }]);
    await start();
    await publish(events.slice(6, 10));
    await until(() => payloads().length === 9);
    expect(payloads().sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10]);
    expect(seen).toContainEqual([1, events[0]!.id, events[0]!.id]);
  });

  it('tries a failed event again, and gives a poisonous one up', async () => {
    let left = 2;
    fails = (n) => n === 2 || (n === 3 && left-- > 0);
    await start();
    await publish(events.slice(0, 5));
    await until(() => dead.length === 1 && payloads().filter((n) => n === 3).length === 3);
    expect(dead.map((event) => event?.n)).toEqual([2]);
    expect(payloads().filter((n) => n === 2)).toHaveLength(3);
    expect(payloads().filter((n) => n === 1)).toHaveLength(1);
    expect(logger.matching(/error Event ordering.order-placed .*given up after 3 attempts/)).toHaveLength(1);
  });

  it('resumes where it was after a restart', async () => {
    fails = () => false;
    const app = await start();
    await publish(events.slice(0, 5));
    await until(() => payloads().length === 5);
    await app.close();
    await publish(events.slice(5, 10));
    await start();
    await until(() => payloads().length === 5);
    expect(payloads().sort((a, b) => a - b)).toEqual([6, 7, 8, 9, 10]);
  });

  it('survives a restart of the server and a stream that comes back', async () => {
    fails = () => false;
    const server = await OwnServer.prepare();
    cleanUp.push(() => server.remove());
    server.start();
    const own = await connectTo(server.url);
    cleanUp.push(() => own.close());
    await start(own);
    await publish(events.slice(0, 5), own);
    await until(() => payloads().length === 5);
    await server.stop();
    await until(() => own.status() === 'disconnected');
    server.start();
    await until(() => own.status() === 'connected');
    await publish(events.slice(5, 10), own);
    await until(() => new Set(payloads()).size === 10);
    await own.jsm.streams.delete(subjects.stream('ordering'));
    await ensureStream(own.jsm, 'ordering', { subjects, retentionDays: 7, logger });
    await publish(events.slice(10, 15), own);
    await until(() => new Set(payloads()).size === 15);
  });
});
