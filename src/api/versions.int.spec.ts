import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { uuidv7 } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApplication } from '../core/application.js';
import { callerHeaders, developerSettings } from '../core/developer.spec.js';

type Send = (headers?: Record<string, string>) => Promise<{ statusCode: number; headers: Record<string, unknown>; body: string; json<T = unknown>(): T }>;

/** What can be read, and the command that changes it: a thing for itself each time it is asked for. */
interface Thing {
  readonly read: Send;
  readonly change: Send;
  /** A command that has another effect than `change`, at the same time. */
  readonly changeOtherwise: Send;
}

describe('optimistic concurrency over HTTP', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let caller: { authorization: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    ({ app } = await createApplication({ ...developerSettings, DATABASE_URL: database.url, LOG_LEVEL: 'fatal', RATE_LIMIT_PER_MINUTE: '0' }));
    await app.init();
    caller = await callerHeaders(app);
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  const send = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object): Send => (headers = {}) => app.inject({ method, url, headers: { ...caller, ...headers }, ...(payload && { payload }) });

  const things: Readonly<Record<string, () => Promise<Thing>>> = {
    product: async () => {
      const id = `p-${uuidv7()}`;
      await send('POST', '/v1/products', { id, name: 'A product' })();
      const receive = (quantity: number) => send('POST', `/v1/products/${id}/receipts`, { quantity });
      return { read: send('GET', `/v1/products/${id}`), change: receive(5), changeOtherwise: receive(7) };
    },
    account: async () => {
      const limit = (amount: number) => send('PUT', `/v1/customers/${id}/credit-limit`, { amount });
      const id = `c-${uuidv7()}`;
      return { read: send('GET', `/v1/customers/${id}/account`), change: limit(5), changeOtherwise: limit(7) };
    },
  };
  const etagOf = async ({ read }: Thing) => String((await read()).headers['etag']);

  describe.each(Object.entries(things))('of one %s', (_, make) => {
    it('answers a read with the version, also as its ETag, and only once', async () => {
      const thing = await make();
      const answer = await thing.read();
      const etag = `"${answer.json<{ version: number }>().version}"`;
      expect([answer.statusCode, answer.headers['etag']]).toEqual([200, etag]);
      const again = await thing.read({ 'if-none-match': etag });
      expect([again.statusCode, again.body, again.headers['etag']]).toEqual([304, '', etag]);
      const changed = await thing.change();
      expect([changed.statusCode, changed.headers['etag']]).toEqual([200, undefined]);
      expect((await thing.read({ 'if-none-match': etag })).statusCode).toBe(200);
      expect(await etagOf(thing)).not.toBe(etag);
    });

    it('changes it when it is as it was read, and does nothing otherwise', async () => {
      const thing = await make();
      const etag = await etagOf(thing);
      expect((await thing.change({ 'if-match': etag })).statusCode).toBe(200);
      const before = (await thing.read()).json();
      for (const tags of [etag, `W/${await etagOf(thing)}`, '"of-something-else"']) {
        expect((await thing.changeOtherwise({ 'if-match': tags })).json(), tags).toMatchObject({ status: 412, code: 'persistence.version-mismatch' });
      }
      expect((await thing.read()).json()).toEqual(before);
      expect((await thing.changeOtherwise({ 'if-match': `${etag}, ${await etagOf(thing)}` })).statusCode).toBe(200);
      expect((await thing.change({ 'if-match': '*' })).statusCode).toBe(200);
      expect((await thing.changeOtherwise()).statusCode).toBe(200);
    });

    it('lets one of two succeed that were made for the same version, 20 times at once', async () => {
      const pairs = await Promise.all(Array.from({ length: 20 }, async () => {
        const thing = await make();
        const headers = { 'if-match': await etagOf(thing) };
        return [thing, headers] as const;
      }));
      const answers = await Promise.all(pairs.map(([thing, headers]) => Promise.all([thing.change(headers), thing.changeOtherwise(headers)])));
      expect(answers.map((pair) => pair.map(({ statusCode }) => statusCode).toSorted())).toEqual(pairs.map(() => [200, 412]));
    });

    it('answers a repetition as the first time, although the version is another one by then', async () => {
      const thing = await make();
      const headers = { 'if-match': await etagOf(thing), 'idempotency-key': uuidv7() };
      const [first, again] = [await thing.change(headers), await thing.change(headers)];
      expect([first.statusCode, again.statusCode, again.headers['idempotent-replayed']]).toEqual([200, 200, 'true']);
      expect(again.json()).toEqual(first.json());
      const late = { ...headers, 'idempotency-key': uuidv7() };
      const [refused, refusedAgain] = [await thing.change(late), await thing.change(late)];
      expect([refused.statusCode, refusedAgain.statusCode, refusedAgain.headers['idempotent-replayed']]).toEqual([412, 412, 'true']);
    });
  });

  it('cancels an order only as it was read', async () => {
    const lines = [{ productId: 'tofu', quantity: 1, unitPrice: 100 }];
    const { id } = (await send('POST', '/v1/orders', { customerId: 'VINET', lines })()).json<{ id: string }>();
    const [read, cancel] = [send('GET', `/v1/orders/${id}`), send('POST', `/v1/orders/${id}/cancel`)];
    // There is no such product, so the order is rejected, which is its second version.
    await expect.poll(async () => (await read()).headers['etag']).toBe('"2"');
    expect((await cancel({ 'if-match': '"1"' })).json()).toMatchObject({ status: 412, code: 'persistence.version-mismatch', details: { version: 2 } });
    expect((await cancel({ 'if-match': '"2"' })).json()).toMatchObject({ status: 409, code: 'ordering.order-not-cancellable' });
    expect((await read({ 'if-none-match': '"1", W/"2"' })).statusCode).toBe(304);
  });

  it('knows an account that nothing has happened to as version 0', async () => {
    const account = await things['account']!();
    expect(await etagOf(account)).toBe('"0"');
    expect((await account.change({ 'if-match': '"1"' })).statusCode).toBe(412);
    expect((await account.change({ 'if-match': '"0"' })).statusCode).toBe(200);
    expect(await etagOf(account)).toBe('"1"');
  });

  it('does not find what is missing, whatever is required of it', async () => {
    for (const tags of ['*', '"1"', 'W/"1"']) {
      expect((await send('POST', '/v1/products/unheard-of/receipts', { quantity: 1 })({ 'if-match': tags })).statusCode).toBe(404);
      expect((await send('POST', `/v1/orders/${uuidv7()}/cancel`)({ 'if-match': tags })).statusCode).toBe(404);
    }
  });
});
