import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { IsString } from 'class-validator';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentMessage, type Identity, type MessageContext, UsageError, withMessage } from '@nestbox/kernel';
import type { NatsConnection } from './connection.js';
import { connectTo, ownSubjects, Recorded } from './fixture.spec.js';
import { contextHeaders } from './message-headers.js';
import { RemoteClient } from './remote-client.js';
import { RemoteServer } from './remote-server.js';
import { RequestSeal } from './request-seal.js';

class PayOut {
  static readonly type = 'bank.pay-out';
  @IsString() readonly to: string;
  constructor(to: string) {
    this.to = to;
  }
}

const subjects = ownSubjects();
const subject = subjects.request('command', PayOut.type);
const key = randomBytes(32).toString('base64');
const seal = new RequestSeal(key);
const ada: Identity = { subject: 'ada', permissions: ['bank:pay'] };
let there: NatsConnection;
let here: NatsConnection;
let server: RemoteServer;
const done: { message: PayOut; context: MessageContext }[] = [];

beforeAll(async () => {
  [there, here] = [await connectTo(), await connectTo()];
  server = new RemoteServer({
    connection: there, subjects, seal, contexts: ['bank'], messages: [{ kind: 'command', message: PayOut }], timeoutMs: 5_000, logger: new Recorded(),
    execute: async (_, message) => void done.push({ message: message as PayOut, context: currentMessage()! }),
  });
  await server.start();
});
beforeEach(() => void (done.length = 0));
afterAll(async () => {
  await server?.stop();
  await there?.close();
  await here?.close();
});

/** A request as it is on the wire, signed; what a test changes afterwards is not. */
function request({ body = JSON.stringify({ data: { to: 'bob' } }), by = seal, on = subject }: { body?: string; by?: RequestSeal; on?: string } = {}) {
  const signed = contextHeaders({ correlationId: 'c', causationId: 'd', tenantId: 'acme', identity: ada, idempotencyKey: 'k' }, 5_000);
  by.sign(on, signed, body);
  return { headers: signed, body };
}

async function send({ headers: sent, body, to = subject }: { headers?: MsgHdrs; body: string; to?: string }): Promise<{ err?: { code: string; message: string } }> {
  const reply = await here.client.request(to, body, { timeout: 5_000, ...(sent && { headers: sent }) });
  return reply.json();
}

/** Expects that it is refused before anything of it is done. */
async function refused(sent: { headers?: MsgHdrs; body: string; to?: string }, why: RegExp): Promise<void> {
  const { err } = await send(sent);
  expect([err?.code, err?.message]).toEqual(['messaging.untrusted-request', expect.stringMatching(why)]);
  expect(done).toEqual([]);
}

describe('a request between services', () => {
  it('brings the caller and the tenant along when it is signed', async () => {
    const client = new RemoteClient({ connection: here, subjects, timeoutMs: 5_000, seal });
    await withMessage({ correlationId: 'c ü', tenantId: 'acme', identity: ada, idempotencyKey: 'a "key"', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }, () => client.request('command', new PayOut('bob')));
    expect(done).toEqual([{ message: { to: 'bob' }, context: expect.objectContaining({ tenantId: 'acme', identity: ada, correlationId: 'c ü', idempotencyKey: 'a "key"' }) }]);
    await withMessage({ correlationId: 'c', tenantId: 'acme' }, () => client.request('command', new PayOut('eve')));
    expect(done[1]!.context.identity).toBeUndefined();
    expect((await send(request())).err).toBeUndefined();
  });

  it('is refused without a signature', async () => {
    const { headers: signed, body } = request();
    await refused({ body }, /not signed/);
    await refused({ body, headers: headers() }, /not signed/);
    signed.delete('Nestbox-Signature');
    await refused({ body, headers: signed }, /not signed/);
  });

  it('is refused when it is signed with another key', async () => {
    await refused(request({ by: new RequestSeal(randomBytes(32).toString('base64')) }), /does not fit/);
    await refused({ ...request(), headers: (() => { const h = request().headers; h.set('Nestbox-Signature', `v1,${Date.now()},`); return h; })() }, /does not fit/);
  });

  it.each(['Nestbox-Identity', 'Nestbox-Tenant', 'Nestbox-Idempotency-Key', 'Nestbox-Timeout-Ms', 'Nestbox-Correlation-Id', 'Nestbox-Causation-Id', 'traceparent', 'tracestate'])('is refused when %s was changed, added or removed', async (name) => {
    const { headers: changed, body } = request();
    changed.set(name, name === 'Nestbox-Identity' ? JSON.stringify({ ...ada, permissions: ['*'] }).replaceAll('"', '%22') : '7');
    await refused({ headers: changed, body }, /does not fit/);
    const { headers: without } = request();
    if (!without.has(name)) return;
    without.delete(name);
    await refused({ headers: without, body }, /does not fit/);
  });

  it('is refused when its body was changed', async () => {
    await refused({ ...request(), body: JSON.stringify({ data: { to: 'eve' } }) }, /does not fit/);
  });

  it('is refused on another subject than it was signed for', async () => {
    await refused({ ...request(), to: subjects.request('command', 'bank.close-account') }, /does not fit/);
  });

  it('is refused when it is old, or from the future', async () => {
    const { headers: aged, body } = request();
    const [format, sentAt, signature] = aged.get('Nestbox-Signature').split(',');
    for (const time of ['0', String(Number(sentAt) + 1), 'NaN', '']) {
      aged.set('Nestbox-Signature', [format, time, signature].join(','));
      await refused({ headers: aged, body }, /does not fit/);
    }
    const now = Date.now;
    for (const [shift, why] of [[-6 * 60_000, /3\d\d s ago/], [6 * 60_000, /3\d\d s from now/]] as const) {
      Date.now = () => now() + shift;
      const old = request();
      Date.now = now;
      await refused(old, why);
    }
  });

  it('is refused with words when the form of its signature is not known', async () => {
    const { headers: strange, body } = request();
    strange.set('Nestbox-Signature', 'v2,1,x');
    await refused({ headers: strange, body }, /of the form "v2", and this service knows "v1"/);
  });

  it('is granted nothing by an identity that is none', async () => {
    for (const text of ['{', 'null', '[]', '"system"', '{"subject":7,"permissions":["*"]}', '{"subject":"eve"}', '{"subject":"eve","permissions":"*"}']) {
      const body = JSON.stringify({ data: { to: 'bob' } });
      const odd = headers();
      odd.set('Nestbox-Identity', encodeURIComponent(text));
      seal.sign(subject, odd, body);
      expect((await send({ headers: odd, body })).err).toBeUndefined();
    }
    expect(done.map(({ context }) => context.identity)).toEqual(Array.from({ length: 7 }, () => undefined));
  });

  it('needs a key that cannot be guessed', () => {
    expect(() => new RequestSeal('short')).toThrow(UsageError);
    expect(() => new RequestSeal('x'.repeat(31))).toThrow(/SERVICE_KEY has 31 characters[\s\S]*openssl rand/);
  });
});
