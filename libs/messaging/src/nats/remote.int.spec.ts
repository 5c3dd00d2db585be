import 'reflect-metadata';
import { headers } from '@nats-io/transport-node';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentMessage, DomainError, UsageError, withMessage, type MessageContext } from '@nestbox/kernel';
import type { NatsConnection } from './connection.js';
import { OwnServer, Recorded, connectTo, ownSubjects, until } from './fixture.spec.js';
import { RemoteClient } from './remote-client.js';
import { RemoteFailure } from './remote-errors.js';
import { RemoteServer, type RemoteServerOptions } from './remote-server.js';

class Line {
  @IsInt() @Min(1) readonly quantity!: number;
}

class PlaceOrder {
  static readonly type = 'ordering.place-order';
  @IsString() readonly customerId: string;
  @ValidateNested({ each: true }) @Type(() => Line) readonly lines: readonly Line[];
  @IsOptional() @IsString() readonly reference?: string;

  constructor(customerId: string, quantities: readonly number[]) {
    this.customerId = customerId;
    this.lines = (quantities ?? []).map((quantity) => ({ quantity }));
  }
}

class ListOrders {
  static readonly type = 'ordering.list-orders';
}

class ShipOrder {
  static readonly type = 'shipping.ship-order';
}

const subjects = ownSubjects();
let there: NatsConnection;
let here: NatsConnection;
let logger: Recorded;
let servers: RemoteServer[];
let client: RemoteClient;

beforeAll(async () => {
  [there, here] = [await connectTo(), await connectTo()];
});
beforeEach(() => {
  logger = new Recorded();
  servers = [];
  client = new RemoteClient({ connection: here, subjects, timeoutMs: 5_000 });
});
afterEach(async () => {
  for (const server of servers) await server.stop();
});
afterAll(async () => {
  await there.close();
  await here.close();
});

async function serve(execute: RemoteServerOptions['execute'], more: Partial<RemoteServerOptions> = {}): Promise<RemoteServer> {
  const server = new RemoteServer({
    connection: there,
    subjects,
    contexts: ['ordering'],
    messages: [
      { kind: 'command', message: PlaceOrder },
      { kind: 'query', message: ListOrders },
    ],
    execute,
    timeoutMs: 5_000,
    logger,
    ...more,
  });
  servers.push(server);
  await server.start();
  return server;
}

const order = new PlaceOrder('QUICK', [1, 2]);
const failure = (work: Promise<unknown>) => work.then(() => expect.unreachable('it should have failed'), (error: unknown) => error);

describe('a command or query to another process', () => {
  it('arrives as an object of its class and is answered', async () => {
    const seen: unknown[] = [];
    await serve(async (kind, message) => {
      seen.push(kind, message);
      return { id: 'o-1', lines: (message as PlaceOrder).lines };
    });
    expect(await client.request('command', order)).toEqual({ id: 'o-1', lines: [{ quantity: 1 }, { quantity: 2 }] });
    expect(seen[0]).toBe('command');
    expect(seen[1]).toBeInstanceOf(PlaceOrder);
    expect((seen[1] as PlaceOrder).lines[0]).toBeInstanceOf(Line);
    expect(await client.request('query', new ListOrders())).toEqual({ id: 'o-1' });
  });

  it.each([undefined, null, 0, false, '', 'text', [], [1]])('may be answered with %j', async (answer) => {
    await serve(async () => answer);
    expect(await client.request('query', new ListOrders())).toEqual(answer);
  });

  it('takes its message context along', async () => {
    let seen: MessageContext | undefined;
    await serve(async () => void (seen = currentMessage()));
    const context = { correlationId: 'c 1 ü', causationId: 'm-1', tenantId: 'acme.com', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'rojo=1', idempotencyKey: 'a "key"', deadline: Date.now() + 10_000 };
    await withMessage(context, () => client.request('command', order));
    const child = expect.stringMatching(/^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$/) as string;
    expect(seen).toEqual({ ...context, traceparent: child, deadline: expect.any(Number), onReplay: expect.any(Function) });
    await client.request('command', order);
    expect(seen).toEqual({ correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/), tenantId: 'default', deadline: expect.any(Number), onReplay: expect.any(Function) });
  });

  it.each(['is answered', 'is refused'])('tells its sender when it %s as it was before, without being run', async (how) => {
    let replay = true;
    await serve(async () => {
      if (replay) currentMessage()!.onReplay!();
      if (how === 'is refused') throw new DomainError({ kind: 'conflict', code: 'ordering.taken' }, 'Taken.');
      return undefined;
    });
    let replays = 0;
    const send = () => withMessage({ correlationId: 'c', tenantId: 't', onReplay: () => void replays++ }, () => client.request('command', order)).catch(() => undefined);
    await send();
    replay = false;
    await send();
    expect(replays).toBe(1);
  });

  it('fails as it failed there', async () => {
    await serve(async () => {
      throw new DomainError({ kind: 'conflict', code: 'ordering.duplicate-reference' }, 'Order "ü" exists.', { reference: 'ü', n: [1] });
    });
    const error = await failure(client.request('command', order));
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({ kind: 'conflict', code: 'ordering.duplicate-reference', message: 'Order "ü" exists.', details: { reference: 'ü', n: [1] } });
    expect(logger.lines).toEqual([]);
  });

  it.each([new Error('secret table x'), new UsageError('secret', 'cure'), 'a string', undefined])('does not show what went wrong inside, but logs it (%s)', async (thrown) => {
    await serve(async () => {
      throw thrown;
    });
    const error = await withMessage({ correlationId: 'c-7', tenantId: 't' }, () => failure(client.request('command', order)));
    expect(error).toBeInstanceOf(RemoteFailure);
    expect(error).toMatchObject({ code: 'internal', message: expect.stringMatching(/place-order failed.*c-7/) });
    expect(String(error)).not.toContain('secret');
    expect(logger.matching(/error .*c-7/)).toHaveLength(1);
  });

  it('is refused with every violation when it is not valid', async () => {
    await serve(async () => expect.unreachable('it should not have run'));
    const error = await failure(client.request('command', Object.assign(new PlaceOrder('QUICK', [1, 0]), { reference: 5 })));
    expect(error).toMatchObject({ kind: 'invalid', code: 'messaging.invalid-message' });
    expect((error as DomainError).details['violations']).toEqual(
      expect.arrayContaining([
        { path: 'lines.1.quantity', message: 'quantity must not be less than 1' },
        { path: 'reference', message: 'reference must be a string' },
      ]),
    );
  });

  it('is refused with a field that nobody knows, also where no field is known', async () => {
    await serve(async () => expect.unreachable('it should not have run'));
    for (const [kind, message] of [['command', order], ['query', new ListOrders()]] as const) {
      const unknown = Object.assign(Object.create(Object.getPrototypeOf(message)) as object, message, { surprise: 1 });
      expect(await failure(client.request(kind, unknown))).toMatchObject({ code: 'messaging.invalid-message', message: expect.stringContaining('surprise') });
    }
  });

  it('is unavailable at once when no process has the context, and names it', async () => {
    const error = await failure(client.request('command', new ShipOrder()));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'messaging.context-unavailable', message: expect.stringContaining('"shipping"'), details: { context: 'shipping' } });
  });

  it('is unavailable while its owner is stopped, and works again by itself', async () => {
    const first = await serve(async () => 1);
    expect(await client.request('query', new ListOrders())).toBe(1);
    await first.stop();
    expect(await failure(client.request('query', new ListOrders()))).toMatchObject({ code: 'messaging.context-unavailable' });
    await serve(async () => 2);
    expect(await client.request('query', new ListOrders())).toBe(2);
  });

  it('ends at the deadline of its caller', async () => {
    const context = { correlationId: 'c', tenantId: 't' };
    let release = () => {};
    await serve(() => new Promise((resolve) => (release = () => resolve(1))));
    const error = await withMessage({ ...context, deadline: Date.now() + 100 }, () => failure(client.request('command', order)));
    expect(error).toMatchObject({ kind: 'timeout', code: 'messaging.context-timeout', message: expect.stringMatching(/"ordering".*may or may not/) });
    release();
    const late = await withMessage({ ...context, deadline: Date.now() - 1 }, () => failure(client.request('command', order)));
    expect(late).toMatchObject({ code: 'messaging.context-timeout' });
  });

  it('goes to exactly one of several processes', async () => {
    const counts = [0, 0];
    await serve(async () => void counts[0]!++);
    await serve(async () => void counts[1]!++, { connection: here });
    await Promise.all(Array.from({ length: 200 }, () => client.request('query', new ListOrders())));
    expect(counts[0]! + counts[1]!).toBe(200);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('waits for its turn above the limit, is refused above the second, and is dropped when nobody waits any more', async () => {
    let running = 0;
    let most = 0;
    const releases: (() => void)[] = [];
    await serve(
      async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => releases.push(resolve));
        return running--;
      },
      { concurrency: 2, waiting: 3 },
    );
    const request = () => client.request('query', new ListOrders());
    const answers = [request(), request(), request(), request()];
    const late = withMessage({ correlationId: 'c', tenantId: 't', deadline: Date.now() + 50 }, () => failure(request()));
    expect(await late).toMatchObject({ code: 'messaging.context-timeout' });
    expect(await failure(request())).toMatchObject({ kind: 'unavailable', code: 'messaging.context-overloaded' });
    for (let i = 0; i < 4; i++) {
      await until(() => releases.length > 0);
      releases.shift()!();
    }
    expect(await Promise.all(answers)).toHaveLength(4);
    expect([most, releases.length]).toEqual([2, 0]);
  });

  it('is finished when its owner stops, and the next is not taken', async () => {
    let release = () => {};
    const server = await serve(() => new Promise((resolve) => (release = () => resolve('done'))));
    const answer = client.request('query', new ListOrders());
    await until(() => (server as unknown as { running: Set<unknown> }).running.size === 1);
    const stopped = server.stop();
    await there.client.flush();
    expect(await failure(client.request('query', new ListOrders()))).toMatchObject({ code: 'messaging.context-unavailable' });
    release();
    await stopped;
    expect(await answer).toBe('done');
  });

  it('is refused by its sender when it is too large', async () => {
    await serve(async () => 1);
    expect(await failure(client.request('command', new PlaceOrder('x'.repeat(2_000_000), [1])))).toMatchObject({ message: expect.stringMatching(/larger than NATS takes/) });
  });

  it('fails clearly when its answer is too large', async () => {
    await serve(async () => 'x'.repeat(2_000_000));
    expect(await failure(client.request('query', new ListOrders()))).toMatchObject({ code: 'internal' });
    expect(logger.matching(/max_payload/)).toHaveLength(1);
  });

  it('answers a stock Nest client, and whoever sends nonsense', async () => {
    await serve(async (_kind, message) => (message as PlaceOrder).customerId);
    const send = async (subject: string, body: string) => (await here.client.request(`${subjects.namespace}.${subject}`, body, { timeout: 5_000, headers: headers() })).json();
    expect(await send('cmd.ordering.place-order', JSON.stringify({ pattern: 'p', data: { customerId: 'A', lines: [] }, id: 'x1' }))).toEqual({ response: 'A', isDisposed: true, id: 'x1' });
    expect(await send('cmd.ordering.place-order', JSON.stringify({ customerId: 'B', lines: [] }))).toEqual({ response: 'B', isDisposed: true });
    const malformed = { err: { kind: 'invalid', code: 'messaging.malformed-request' }, isDisposed: true };
    for (const body of ['', '{', 'null', '[]', '3', '{"data":3}', '{"data":"x"}', '\u0000']) expect(await send('cmd.ordering.place-order', body)).toMatchObject(malformed);
    expect(await send('cmd.ordering.nothing', '{"data":{},"id":"x2"}')).toMatchObject({ err: { code: 'messaging.unknown-message' }, id: 'x2' });
    expect(await send('qry.ordering.place-order', '{"data":{}}')).toMatchObject({ err: { code: 'messaging.unknown-message' } });
    expect(logger.lines).toEqual([]);
  });

  it('is unavailable at once without NATS, and works again after it is back', async () => {
    const server = await OwnServer.prepare();
    server.start();
    const own = await connectTo(server.url);
    try {
      const remote = new RemoteClient({ connection: own, subjects, timeoutMs: 5_000 });
      const owner = await serve(async () => 1, { connection: own });
      expect(await remote.request('query', new ListOrders())).toBe(1);
      await server.stop();
      await until(() => own.status() === 'disconnected');
      expect(await failure(remote.request('query', new ListOrders()))).toMatchObject({ kind: 'unavailable', code: 'messaging.context-unavailable' });
      server.start();
      await until(() => own.status() === 'connected');
      await until(async () => (await remote.request('query', new ListOrders()).catch(() => 0)) === 1);
      await owner.stop();
    } finally {
      await own.close();
      await server.remove();
    }
  });
});
