import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { uuidv7 } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDocument } from '../api/document.spec.js';
import { createApplication } from '../core/application.js';
import { banner } from '../core/banner.js';
import { callerHeaders, developerSettings } from '../core/developer.spec.js';
import { brokenEvent } from './broken-event.spec.js';

const ADMIN_TOKEN = 'a-token-of-this-test-alone';
const EVENTUALLY = { timeout: 15_000 };

describe('the routes under /admin', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let document: ApiDocument;
  const answered = new Set<string>();

  beforeAll(async () => {
    database = await createTestDatabase();
    ({ app } = await createApplication({ ...developerSettings, DATABASE_URL: database.url, LOG_LEVEL: 'fatal', ADMIN_TOKEN }));
    await app.init();
    document = new ApiDocument((await app.inject('/docs-json')).json<OpenAPIObject>());
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  /** Calls an operation, and requires the answer to be exactly what the document says. */
  async function call(operation: string, { path = {}, body, query = {}, token = ADMIN_TOKEN }: { path?: Record<string, string>; body?: object; query?: Record<string, string>; token?: string } = {}) {
    const [method, template] = operation.split(' ') as ['get' | 'post' | 'delete', string];
    const url = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name]!);
    const answer = await app.inject({ method, url, query, headers: { authorization: `Bearer ${token}` }, ...(body && { payload: body }) });
    const contentType = String(answer.headers['content-type']).split(';')[0]!;
    expect(document.differences(operation, answer.statusCode, contentType, answer.json()), `${operation} ${answer.body}`).toEqual([]);
    if (answer.statusCode < 300) answered.add(operation);
    return answer;
  }
  const trouble = async () => (await call('get /admin/trouble')).json<{ items: Record<string, unknown>[] }>().items;

  it('are not there without a token', async () => {
    const other = await createTestDatabase();
    const { app: without, topology, settings } = await createApplication({ ...developerSettings, DATABASE_URL: other.url, LOG_LEVEL: 'fatal' });
    try {
      await without.init();
      for (const headers of [{}, await callerHeaders(without)]) expect((await without.inject({ url: '/admin/trouble', headers })).statusCode).toBe(404);
      for (const authorization of ['Bearer ', 'Bearer undefined', `Bearer ${ADMIN_TOKEN}`]) {
        expect((await without.inject({ url: '/admin/trouble', headers: { authorization } })).statusCode).toBe(401);
      }
      expect(JSON.stringify((await without.inject('/docs-json')).json())).not.toContain('/admin');
      expect(banner(topology, 'http://localhost:1', settings.admin, settings.identity)).not.toContain('admin');
    } finally {
      await without.close();
      await other.drop();
    }
  });

  it('let in who knows the token, and nobody else', async () => {
    expect((await call('get /admin/trouble')).statusCode).toBe(200);
    expect((await app.inject('/admin/trouble')).json()).toMatchObject({ status: 401, code: 'messaging.not-authenticated' });
    for (const token of ['', 'wrong', ADMIN_TOKEN.slice(1), `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase()]) {
      const refused = await call('get /admin/trouble', { token });
      expect([refused.statusCode, refused.headers['www-authenticate']]).toEqual([401, 'Bearer error="invalid_token"']);
      expect(refused.body).not.toContain(ADMIN_TOKEN);
    }
    expect((await app.inject({ url: '/admin/trouble', headers: { authorization: ADMIN_TOKEN } })).statusCode).toBe(401);
    // Nor does it open anything else.
    expect((await app.inject({ url: '/v1/orders', headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).json()).toMatchObject({ status: 403, code: 'messaging.permission-missing' });
  });

  it('let in whom the issuer lets, too, by permission', async () => {
    const asked = async (permissions: readonly string[]) => (await app.inject({ url: '/admin/trouble', headers: await callerHeaders(app, { permissions }) })).statusCode;
    expect([await asked(['operations']), await asked(['ordering:read'])]).toEqual([200, 403]);
  });

  it('refuse a token that could be guessed', async () => {
    await expect(createApplication({ DATABASE_URL: database.url, ADMIN_TOKEN: 'admin' })).rejects.toThrow(/ADMIN_TOKEN +\(hidden\) +must be text of 16 characters or more/);
  });

  it('show an event in trouble, and have it handled as a person has edited it', async () => {
    // The order has its stock already: handled again, the event changes nothing.
    const line = { productId: 'chai', quantity: 1, unitPrice: 100 };
    const headers = await callerHeaders(app);
    await app.inject({ method: 'post', url: '/v1/products', headers, payload: { id: 'chai', name: 'Chai' } });
    const { id: orderId } = (await app.inject({ method: 'post', url: '/v1/orders', headers, payload: { customerId: 'QUICK', lines: [line] } })).json<{ id: string }>();
    await expect.poll(async () => (await app.inject({ url: `/v1/orders/${orderId}`, headers })).json<{ status: string }>().status, EVENTUALLY).toBe('rejected');
    const id = await brokenEvent(database.url, orderId);
    await expect.poll(async () => (await trouble()).map(({ event }) => event), EVENTUALLY).toContain(id);
    const found = (await trouble()).filter(({ event }) => event === id);
    expect(found[0]).toMatchObject({ context: 'inventory', source: 'ordering', handler: 'ReserveStockWhenOrderPlaced', key: `default/ordering.order/${orderId}`, type: 'ordering.order-placed', error: { name: 'UnknownEventVersion' } });
    expect((await call('get /admin/trouble', { query: { context: 'billing' } })).json()).toMatchObject({ items: [] });
    const payload = { orderId, customerId: 'QUICK', lines: [], total: { amount: 100, currency: 'USD' }, placedAt: new Date().toISOString() };
    expect((await call('post /admin/trouble/edit', { body: { event: id, payload, schemaVersion: 1 } })).json()).toEqual({ asked: found.length, silent: [] });
    await expect.poll(trouble, EVENTUALLY).toEqual([]);
    const { events } = (await call('get /admin/trace/{id}', { path: { id } })).json<{ events: { handlings: object[] }[] }>();
    expect(events[0]!.handlings).toMatchObject([{ handler: 'ReserveStockWhenOrderPlaced', state: 'handled', exact: true, attempts: expect.any(Number) as number }]);
  });

  it('refuse what no database can keep, a context that there is not, and null', async () => {
    const path = { reader: 'reporting.sales-report' };
    for (const since of ['2026-03-01', '2026-03-01T12:00:00', '2026-02-30T00:00:00Z', '+275760-09-13T00:00:00Z', null]) {
      expect((await call('post /admin/readers/{reader}/rewind', { path, body: { since, repeatEffects: true } })).json()).toMatchObject({ status: 400, errors: [{ pointer: '/since' }] });
    }
    for (const body of [{ event: 'a\u0000b' }, { event: null }, { event: 'x', schemaVersion: 2 ** 31 }, { event: 'x', payload: { text: 'a\u0000b' } }, { event: 'x', payload: { text: '\ud800' } }]) {
      expect((await call('post /admin/trouble/edit', { body })).json()).toMatchObject({ status: 400, code: 'http.invalid-request' });
    }
    expect((await call('get /admin/trace/{id}', { path: { id: 'a%00b' } })).json()).toMatchObject({ status: 400, errors: [{ pointer: '/id' }] });
    expect((await call('post /admin/readers/{reader}/reset', { path, body: { to: 'start', source: 'nowhere', repeatEffects: true } })).json()).toMatchObject({ status: 404, code: 'operations.no-such-context' });
    expect((await call('delete /admin/readers/{reader}', { path, query: { context: 'nowhere' } })).json()).toMatchObject({ status: 404, code: 'operations.no-such-context' });
  });

  it('replay and skip what is meant, and nothing that is only not said', async () => {
    const event = await brokenEvent(database.url, uuidv7());
    await expect.poll(async () => (await trouble()).length, EVENTUALLY).toBe(1);
    for (const action of ['replay', 'skip']) {
      expect((await call(`post /admin/trouble/${action}`, { body: {} })).json()).toMatchObject({ status: 422, code: 'operations.no-target' });
      expect((await call(`post /admin/trouble/${action}`, { body: { context: 'inventory', all: true } })).statusCode).toBe(422);
      expect((await call(`post /admin/trouble/${action}`, { body: { everything: true } })).statusCode).toBe(400);
      expect((await call(`post /admin/trouble/${action}`, { body: { event: 'no-such' } })).json()).toMatchObject({ status: 404, code: 'operations.not-in-trouble' });
    }
    expect((await call('post /admin/trouble/replay', { body: { all: true } })).json()).toEqual({ asked: 1, silent: [] });
    expect((await call('post /admin/trouble/skip', { body: { event } })).json()).toEqual({ asked: 1, silent: [] });
    await expect.poll(trouble, EVENTUALLY).toEqual([]);
  });

  it('show who reads, and set a reader where it is told to', async () => {
    const { items } = (await call('get /admin/readers')).json<{ items: { reader: string; source: string; behind: number; lanes: unknown[] }[] }>();
    expect(items.map(({ reader, source }) => `${reader} ${source}`)).toContain('reporting.sales-report ordering');
    for (const { lanes } of items) expect(lanes).toHaveLength(32);
    const path = { reader: 'reporting.sales-report' };
    expect((await call('post /admin/readers/{reader}/rewind', { path, body: { from: 1 } })).json()).toMatchObject({ status: 409, code: 'operations.needs-consent' });
    expect((await call('post /admin/readers/{reader}/rewind', { path, body: {} })).json()).toMatchObject({ status: 422, code: 'operations.no-place' });
    expect((await call('post /admin/readers/{reader}/rewind', { path, body: { from: 1_000, repeatEffects: true } })).json()).toMatchObject({ status: 422, code: 'operations.beyond-the-log' });
    expect((await call('post /admin/readers/{reader}/rewind', { path, body: { since: '2020-01-01T00:00:00Z', repeatEffects: true } })).json()).toEqual({ lanes: 32, from: 1 });
    expect((await call('post /admin/readers/{reader}/reset', { path, body: { to: 'now', leaveOut: true } })).json()).toMatchObject({ lanes: 32 });
    expect((await call('post /admin/readers/{reader}/reset', { path: { reader: 'billing' }, body: { to: 'start', repeatEffects: true } })).json()).toMatchObject({ code: 'operations.several-sources' });
    expect((await call('post /admin/projections/{name}/rebuild', { path: { name: 'sales-report' }, body: {} })).json()).toEqual({ lanes: 32 });
    expect((await call('post /admin/projections/{name}/rebuild', { path: { name: 'sales' }, body: {} })).statusCode).toBe(404);
  });

  it('forget a reader that is gone for good, and none that works', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query("insert into reporting.cursor (reader, source, lane, gen, n) values ('reporting.retired', 'ordering', 0, 0, 0)");
    await client.end();
    expect((await call('delete /admin/readers/{reader}', { path: { reader: 'reporting.sales-report' } })).json()).toMatchObject({ status: 409, code: 'operations.reader-is-alive' });
    expect((await call('delete /admin/readers/{reader}', { path: { reader: 'reporting.retired' } })).json()).toEqual({ lanes: 1 });
    expect((await call('delete /admin/readers/{reader}', { path: { reader: 'reporting.retired' } })).json()).toMatchObject({ status: 404, code: 'operations.no-such-reader' });
  });

  it('show events, streams and stories, and say so of an id that nobody knows', async () => {
    expect((await call('get /admin/outbox', { query: { context: 'ordering', state: 'SENT' } })).json<{ items: unknown[] }>().items.length).toBeGreaterThan(2);
    expect((await call('get /admin/streams')).json()).toEqual({ items: [], silent: [] });
    expect((await call('get /admin/trace/{id}', { path: { id: 'unheard-of' } })).json()).toMatchObject({ status: 404, code: 'operations.unknown-id' });
    expect((await call('get /admin/readers', { query: { context: 'sales' } })).json()).toMatchObject({ status: 404, code: 'operations.no-such-context' });
  });

  it('have no operation that was not called here', () => {
    const ours = [...document.operations.keys()].filter((operation) => operation.includes(' /admin/'));
    expect([...answered].toSorted()).toEqual(ours.toSorted());
  });
});
