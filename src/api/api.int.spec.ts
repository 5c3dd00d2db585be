import 'reflect-metadata';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { uuidv7 } from '@nestbox/kernel';
import { IdempotencyKeyReused, RequestInProgress } from '@nestbox/messaging';
import { ConcurrencyConflict, DatabaseUnavailable, OutcomeUnknown } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApplication } from '../core/application.js';
import { callerHeaders, developerSettings } from '../core/developer.spec.js';
import { allPermissions } from '../core/identity.js';
import { ScriptedOwner } from '../core/scripted-owner.spec.js';
import { ApiDocument } from './document.spec.js';
import { SwaggerUi } from './swagger-ui.spec.js';

const production = { NODE_ENV: 'production', DEV_ISSUER: 'false', JWT_ISSUER: 'https://issuer.example.com/', JWT_AUDIENCE: 'shop', JWT_JWKS_URL: 'https://issuer.example.com/jwks' };

describe('the API and its document', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let document: ApiDocument;
  let caller: { authorization?: string };
  const answered = new Set<string>();
  const provoked = new Set<string>();

  beforeAll(async () => {
    database = await createTestDatabase();
    ({ app } = await createApplication({ ...developerSettings, DATABASE_URL: database.url, LOG_LEVEL: 'fatal' }));
    await app.init();
    caller = await callerHeaders(app);
    document = new ApiDocument((await app.inject('/docs-json')).json<OpenAPIObject>());
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  const ours = () => [...document.operations].filter(([operation]) => operation.includes(' /v1/'));

  function compare(operation: string, status: number, contentType: string, body: { code?: string }): void {
    expect(document.differences(operation, status, contentType.split(';')[0]!, body)).toEqual([]);
    if (status < 300) answered.add(operation);
    else provoked.add(`${operation} ${status} ${body.code}`);
  }

  /** Calls an operation, and requires the answer to be exactly what the document says, with the headers that it names. */
  async function call(operation: string, path: Record<string, string> = {}, body?: unknown, query: Record<string, string> = {}, { at = app, headers = {}, as = caller }: { at?: NestFastifyApplication; headers?: Record<string, string>; as?: { authorization?: string } } = {}) {
    const [method, template] = operation.split(' ') as ['get' | 'post' | 'put', string];
    const url = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name]!);
    const answer = await at.inject({ method, url, query, headers: { ...as, ...headers }, ...(body !== undefined && { payload: body as object }) });
    compare(operation, answer.statusCode, String(answer.headers['content-type']), answer.json());
    if (answer.statusCode < 300) expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(document.headersOf(operation, answer.statusCode)));
    return answer;
  }

  it('works when its examples are pressed from top to bottom', async () => {
    const ui = await SwaggerUi.open(app);
    const pressed: string[] = [];
    for (const operation of document.inOrder.filter((name) => name.includes(' /v1/'))) {
      for (const body of document.examplesOf(operation)) {
        const [method, path] = operation.split(' ') as ['get' | 'post' | 'put', string];
        const answer = await ui.execute(app, method, document.exampleUrlOf(operation), body, document.exampleHeadersOf(operation));
        if (path === '/v1/orders' && method === 'post') await expect.poll(async () => (await call('get /v1/orders/{id}', answer.json())).json<{ status: string }>().status, { timeout: 10_000 }).toBe('confirmed');
        pressed.push(`${operation} ${answer.statusCode}`);
        if (answer.statusCode < 300) answered.add(operation);
      }
    }
    expect(pressed.filter((answer) => !/ 20[01]$/.test(answer))).toEqual([
      // Whoever presses is slower than the confirmation.
      'post /v1/orders/{id}/cancel 409',
    ]);
    process.stdout.write(`${pressed.length} examples of ${new Set(pressed.map((answer) => answer.replace(/ \d+$/, ''))).size} operations executed.\n`);
  });

  it('has done what the examples say', async () => {
    expect((await call('get /v1/products')).json()).toMatchObject({ items: [{ id: 'queso-cabrales', onHand: 100 }], nextCursor: null });
    expect((await call('get /v1/customers/{id}/account', { id: 'VINET' })).json()).toMatchObject({ creditLimit: null });
    const orders = (await call('get /v1/orders', {}, undefined, { customerId: 'VINET', status: 'confirmed', limit: '1' })).json<{ items: { id: string }[] }>();
    expect(orders).toMatchObject({ items: [{ reference: 'PO-10248' }] });
    expect((await call('get /v1/orders/{id}', orders.items[0])).json()).toMatchObject({ reference: 'PO-10248' });
    const sales = { orders: 2, units: 17, revenue: { amount: 23_450, currency: 'USD' } };
    await expect.poll(async () => (await call('get /v1/reports/sales')).json<unknown>(), { timeout: 10_000 }).toEqual(sales);
    expect((await call('get /v1/reports/sales/customers/{id}', { id: 'VINET' })).json()).toEqual({ customerId: 'VINET', ...sales });
  });

  it('says where what was created can be read', async () => {
    const product = await call('post /v1/products', {}, { id: 'chai', name: 'Chai' });
    expect([product.statusCode, product.headers.location]).toEqual([201, '/v1/products/chai']);
    const order = await call('post /v1/orders', {}, document.examplesOf('post /v1/orders')[0]);
    expect([order.statusCode, order.headers.location]).toEqual([201, `/v1/orders/${order.json<{ id: string }>().id}`]);
  });

  it('cancels an order that waits, and says so of one that does not', async () => {
    // Whether the cancellation or the confirmation is first is nobody's to say; both answers are in the document.
    const { id } = (await call('post /v1/orders', {}, document.examplesOf('post /v1/orders')[0])).json<{ id: string }>();
    const first = await call('post /v1/orders/{id}/cancel', { id });
    expect([200, 409]).toContain(first.statusCode);
    answered.add('post /v1/orders/{id}/cancel');
    expect((await call('post /v1/orders/{id}/cancel', { id })).statusCode).toBe(first.statusCode);
  });

  it('refuses with a problem that is documented too', async () => {
    const [order] = document.examplesOf('post /v1/orders') as [{ customerId: string; lines: object[] }];
    const taken = { ...order, reference: 'PO-10248' };
    expect((await call('post /v1/orders', {}, taken)).json()).toMatchObject({ status: 409, code: 'ordering.duplicate-reference' });
    const invalid = { ...order, coupon: 'X', lines: [...order.lines, { productId: 'tofu', quantity: 0, unitPrice: '1' }] };
    expect((await call('post /v1/orders', {}, invalid)).json<{ errors: { pointer: string }[] }>().errors.map((error) => error.pointer)).toEqual([
      '/coupon',
      '/lines/1/quantity',
      '/lines/1/unitPrice',
    ]);
    const enormous = { ...order, lines: [{ productId: 'tofu', quantity: 2, unitPrice: Number.MAX_SAFE_INTEGER }] };
    expect((await call('post /v1/orders', {}, enormous)).json()).toMatchObject({ status: 422, code: 'ordering.order-too-large' });
    expect((await call('get /v1/orders/{id}', { id: uuidv7() })).json()).toMatchObject({ status: 404, code: 'ordering.order-not-found' });
    expect((await call('get /v1/orders/{id}', { id: '42' })).json()).toMatchObject({ status: 400, errors: [{ pointer: '/id' }] });
    expect((await call('get /v1/orders', {}, undefined, { cursor: 'bm9uc2Vuc2U' })).json()).toMatchObject({ status: 400, code: 'http.invalid-cursor', errors: [{ pointer: '/cursor' }] });
    expect((await call('get /v1/orders', {}, undefined, { page: '2' })).json()).toMatchObject({ status: 400, errors: [{ pointer: '/page' }] });
    const [product] = document.examplesOf('post /v1/products');
    expect((await call('post /v1/products', {}, product)).json()).toMatchObject({ status: 409, code: 'inventory.product-already-registered' });
    expect((await call('get /v1/products/{id}', { id: 'unheard-of' })).json()).toMatchObject({ status: 404, code: 'inventory.product-not-found' });
    expect((await call('put /v1/customers/{id}/credit-limit', { id: 'VINET' }, {})).json()).toMatchObject({ status: 400, errors: [{ pointer: '/amount' }] });
    expect((await call('post /v1/products/{id}/receipts', { id: 'unheard-of' }, { quantity: 1 })).json()).toMatchObject({ status: 404, code: 'inventory.product-not-found' });
    expect((await call('get /v1/products', {}, undefined, { cursor: 'Kw' })).json()).toMatchObject({ status: 400, code: 'http.invalid-cursor', errors: [{ pointer: '/cursor' }] });
    expect((await call('post /v1/orders/{id}/cancel', { id: uuidv7() })).json()).toMatchObject({ status: 404, code: 'ordering.order-not-found' });
    const stale = { headers: { 'if-match': '"999"' } };
    expect((await call('put /v1/customers/{id}/credit-limit', { id: 'VINET' }, { amount: 1 }, {}, stale)).json()).toMatchObject({ status: 412, code: 'persistence.version-mismatch' });
    expect((await call('post /v1/products/{id}/receipts', { id: 'queso-cabrales' }, { quantity: 1 }, {}, stale)).json()).toMatchObject({ status: 412 });
    const { items } = (await call('get /v1/orders', {}, undefined, { status: 'confirmed', limit: '1' })).json<{ items: [{ id: string }] }>();
    expect((await call('post /v1/orders/{id}/cancel', items[0])).json()).toMatchObject({ status: 409, code: 'ordering.order-not-cancellable' });
    expect((await call('post /v1/orders/{id}/cancel', items[0], undefined, {}, stale)).json()).toMatchObject({ status: 412 });
  });

  it('refuses what no operation takes', async () => {
    for (const [operation, { requestBody }] of ours()) {
      const nonsense = { nonsense: '1' };
      if (document.problemsOf(operation).includes('400 http.invalid-request')) expect((await call(operation, { id: 'a%20b' }, requestBody && nonsense, nonsense)).json()).toMatchObject({ code: 'http.invalid-request' });
      if (operation.includes('{id}')) expect((await call(operation, { id: '%zz' }, requestBody && nonsense)).json()).toMatchObject({ code: 'http.malformed-url' });
      if (operation.includes('{id}')) expect((await call(operation, { id: 'x'.repeat(101) }, requestBody && nonsense)).json()).toMatchObject({ code: 'http.uri-too-long' });
      expect((await call(operation, { id: uuidv7() }, document.examplesOf(operation)[0], {}, { headers: { prefer: 'wait=0' } })).json()).toMatchObject({ code: 'messaging.deadline-exceeded' });
      if (!operation.startsWith('get ')) {
        const answer = await call(operation, { id: uuidv7() }, document.examplesOf(operation)[0], {}, { headers: { 'idempotency-key': 'two words' } });
        expect(answer.json()).toMatchObject({ code: 'http.invalid-idempotency-key' });
      }
      if (document.problemsOf(operation).includes('400 http.invalid-if-match')) {
        expect((await call(operation, { id: uuidv7() }, document.examplesOf(operation)[0], {}, { headers: { 'if-match': '3' } })).json()).toMatchObject({ code: 'http.invalid-if-match' });
      }
      if (operation.startsWith('get ')) continue;
      const send = async (payload: string, type: string) => (await call(operation, { id: uuidv7() }, payload, {}, { headers: { 'content-type': type } })).json<{ code: string }>().code;
      expect(await send('{"nonsense":', 'application/json')).toBe('http.malformed-json');
      expect(await send('x'.repeat(1_048_577), 'application/json')).toBe('http.too-large');
      expect(await send('nonsense', 'text/plain')).toBe('http.unsupported-media-type');
    }
  });

  it('asks who calls, and for the one permission that the operation names', async () => {
    for (const [operation, { security, 'x-permission': permission }] of ours()) {
      const attempt = async (as: { authorization?: string }) => {
        const { statusCode, body } = await call(operation, { id: uuidv7() }, document.examplesOf(operation)[0], {}, { as });
        return [statusCode, (JSON.parse(body) as { code?: string }).code];
      };
      expect(await attempt({ authorization: 'Bearer forged' })).toEqual([401, 'http.invalid-token']);
      expect(security === undefined, operation).toBe(permission === undefined);
      if (permission === undefined) {
        expect((await attempt({}))[0], operation).not.toBe(401);
        continue;
      }
      expect(await attempt({})).toEqual([401, 'messaging.not-authenticated']);
      const others = allPermissions().filter((other) => other !== permission);
      expect(await attempt(await callerHeaders(app, { permissions: others }))).toEqual([403, 'messaging.permission-missing']);
      expect((await attempt(await callerHeaders(app, { permissions: [permission] })))[0], operation).not.toBe(403);
    }
  });

  it('refuses what is not addressed to anybody', async () => {
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    for (const [operation] of ours()) {
      const [method, template] = operation.split(' ') as [string, string];
      const sent = request({ port, method, path: template.replace('{id}', uuidv7()), setHost: false, agent: false }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const body = await json(answer) as { code: string };
      expect(body.code).toBe('http.malformed-message');
      compare(operation, answer.statusCode!, answer.headers['content-type']!, body);
    }
  });

  it('refuses who asks too often', async () => {
    const { app: strict } = await createApplication({ ...developerSettings, DATABASE_URL: database.url, LOG_LEVEL: 'fatal', RATE_LIMIT_PER_MINUTE: '1' });
    try {
      await strict.init();
      await strict.inject({ url: '/v1/products', headers: caller });
      for (const [operation] of ours()) {
        const answer = await call(operation, { id: uuidv7() }, document.examplesOf(operation)[0], {}, { at: strict });
        expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, expect.any(String)]);
      }
    } finally {
      await strict.close();
    }
  });

  it('says why when a context in another process cannot do it, or does not answer', async () => {
    const owner = await ScriptedOwner.start({ REQUEST_TIMEOUT_MS: '300' });
    const refuse = async (code: string) => {
      for (const [operation] of ours()) {
        const id = operation.includes('/orders/') ? uuidv7() : 'VINET';
        const answer = await call(operation, { id }, document.examplesOf(operation)[0], {}, { at: owner.gateway });
        if (document.problemsOf(operation).some((declared) => declared.endsWith(` ${code}`))) expect(answer.json()).toMatchObject({ code });
      }
    };
    const failing = (error: Error) => async () => Promise.reject(error);
    try {
      await refuse('messaging.context-unavailable');
      await owner.answering(failing(new Error('a secret')), () => refuse('http.internal-error'));
      await owner.answering(failing(new DatabaseUnavailable('ordering')), () => refuse('persistence.database-unavailable'));
      await owner.answering(failing(new Error('never asked')), () => refuse('messaging.context-overloaded'), { waiting: 0 });
      let release = () => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      await owner.answering(() => released, () => refuse('messaging.context-timeout').finally(release));
    } finally {
      await owner.stop();
    }
  });

  it('says why when a change met another one, its own repetition, or got lost', async () => {
    const owner = await ScriptedOwner.start();
    try {
      for (const error of [new ConcurrencyConflict('ordering.order 42'), new OutcomeUnknown('ordering'), new IdempotencyKeyReused('key', 'ordering.place-order'), new RequestInProgress('key', 'ordering.place-order')]) {
        await owner.answering(
          async () => Promise.reject(error),
          async () => {
            for (const [operation] of ours()) {
              if (operation.startsWith('get ')) continue;
              const answer = await call(operation, { id: operation.includes('/orders/') ? uuidv7() : 'VINET' }, document.examplesOf(operation)[0], {}, { at: owner.gateway });
              expect(answer.json()).toMatchObject({ code: error.code });
            }
          },
        );
      }
    } finally {
      await owner.stop();
    }
  });

  it.each([
    [production, 200, { id: 'chai', name: 'Chai', onHand: 1, reserved: 0, available: 1, version: 1 }],
    [{}, 500, { code: 'http.undocumented-answer', detail: 'get /v1/products/{id}, 200: /cost is not documented.' }],
    [{ CHECK_RESPONSES: 'false' }, 200, { id: 'chai' }],
  ] as const)('answers nothing but what the document has, whatever a context says: %j', async (env: NodeJS.ProcessEnv, status, expected) => {
    const owner = await ScriptedOwner.start(env);
    const product = { id: 'chai', name: 'Chai', onHand: 1, reserved: 0, available: 1, version: 1, cost: 'a secret' };
    try {
      const answer = await owner.answering(async () => product, async () => owner.gateway.inject('/v1/products/chai'));
      expect([answer.statusCode, answer.json()]).toEqual([status, expect.objectContaining(expected)]);
      expect(answer.body).not.toContain('a secret');
    } finally {
      await owner.stop();
    }
  });

  it('answers a command that is repeated under its key as the first time, and says that it did', async () => {
    const [body] = document.examplesOf('post /v1/orders');
    const send = (more: object = {}) => call('post /v1/orders', {}, { ...(body as object), ...more }, {}, { headers: { 'idempotency-key': '"an-order"' } });
    const [first, again] = [await send(), await send()];
    expect([first.statusCode, first.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([201, 'true']);
    expect([again.json<unknown>(), again.headers.location]).toEqual([first.json<unknown>(), first.headers.location]);
    const documented = ours().filter(([, { parameters = [] }]) => parameters.some(({ name }) => name === 'Idempotency-Key')).map(([operation]) => operation);
    expect(documented).toEqual(ours().map(([operation]) => operation).filter((operation) => !operation.startsWith('get ')));
    expect((await send({ customerId: 'ANOTHER' })).json()).toMatchObject({ status: 422, code: 'messaging.idempotency-key-reused' });
  });

  it('has no problem that was not provoked here', () => {
    const declared = ours().flatMap(([operation]) => document.problemsOf(operation).map((problem) => `${operation} ${problem}`));
    process.stdout.write(`${declared.length} problems of ${ours().length} operations, ${provoked.size} of them provoked.\n`);
    expect([...provoked].toSorted()).toEqual(declared.toSorted());
  });

  it('has no operation that was not called here', () => {
    expect([...answered].toSorted()).toEqual(ours().map(([operation]) => operation).toSorted());
  });
});
