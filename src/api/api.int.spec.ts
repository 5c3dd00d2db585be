import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { uuidv7 } from '@nestbox/kernel';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApplication } from '../core/application.js';
import { ApiDocument } from './document.spec.js';

describe('the API and its document', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let document: ApiDocument;
  const answered = new Set<string>();

  beforeAll(async () => {
    database = await createTestDatabase();
    ({ app } = await createApplication({ DATABASE_URL: database.url, LOG_LEVEL: 'fatal' }));
    await app.init();
    document = new ApiDocument((await app.inject('/docs-json')).json<OpenAPIObject>());
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  /** Calls an operation, and requires the answer to be exactly what the document says. */
  async function call(operation: string, path: Record<string, string> = {}, body?: unknown, query: Record<string, string> = {}) {
    const [method, template] = operation.split(' ') as ['get' | 'post' | 'put', string];
    const url = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => path[name]!);
    const answer = await app.inject({ method, url, query, ...(body !== undefined && { payload: body as object }) });
    const contentType = String(answer.headers['content-type']).split(';')[0]!;
    expect(document.differences(operation, answer.statusCode, contentType, answer.json())).toEqual([]);
    if (answer.statusCode < 300) answered.add(operation);
    return answer;
  }

  it('works when its examples are pressed from top to bottom', async () => {
    const id = 'queso-cabrales';
    for (const body of document.examplesOf('post /v1/products')) {
      const answer = await call('post /v1/products', {}, body);
      expect([answer.statusCode, answer.headers.location]).toEqual([201, `/v1/products/${id}`]);
    }
    for (const body of document.examplesOf('post /v1/products/{id}/receipts')) expect((await call('post /v1/products/{id}/receipts', { id }, body)).statusCode).toBe(200);
    expect((await call('get /v1/products/{id}', { id })).json()).toMatchObject({ onHand: 100 });
    expect((await call('get /v1/products')).json()).toMatchObject({ items: [{ id }], nextCursor: null });
    for (const body of document.examplesOf('put /v1/customers/{id}/credit-limit')) {
      expect((await call('put /v1/customers/{id}/credit-limit', { id: 'VINET' }, body)).statusCode).toBe(200);
      expect((await call('get /v1/customers/{id}/account', { id: 'VINET' })).statusCode).toBe(200);
    }

    for (const body of document.examplesOf('post /v1/orders')) {
      const placed = await call('post /v1/orders', {}, body);
      const order = placed.json<{ id: string; status: string }>();
      expect([placed.statusCode, order.status, placed.headers.location]).toEqual([201, 'placed', `/v1/orders/${order.id}`]);
      await expect.poll(async () => (await call('get /v1/orders/{id}', order)).json<{ status: string }>().status, { timeout: 10_000 }).toBe('confirmed');
    }
    expect((await call('get /v1/orders', {}, undefined, { customerId: 'VINET', status: 'confirmed', limit: '1' })).json()).toMatchObject({ items: [{ reference: 'PO-10248' }] });
    const sales = { orders: 2, units: 17, revenue: { amount: 23_450, currency: 'USD' } };
    await expect.poll(async () => (await call('get /v1/reports/sales')).json<unknown>(), { timeout: 10_000 }).toEqual(sales);
    expect((await call('get /v1/reports/sales/customers/{id}', { id: 'VINET' })).json()).toEqual({ customerId: 'VINET', ...sales });
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
    expect((await call('get /v1/orders', {}, undefined, { cursor: 'bm9uc2Vuc2U' })).json()).toMatchObject({ status: 422, code: 'paging.invalid-cursor' });
    expect((await call('get /v1/orders', {}, undefined, { page: '2' })).json()).toMatchObject({ status: 400, errors: [{ pointer: '/page' }] });
    const [product] = document.examplesOf('post /v1/products');
    expect((await call('post /v1/products', {}, product)).json()).toMatchObject({ status: 409, code: 'inventory.product-already-registered' });
    expect((await call('get /v1/products/{id}', { id: 'unheard-of' })).json()).toMatchObject({ status: 404, code: 'inventory.product-not-found' });
    expect((await call('put /v1/customers/{id}/credit-limit', { id: 'VINET' }, {})).json()).toMatchObject({ status: 400, errors: [{ pointer: '/amount' }] });
  });

  it('has no operation that was not called here', () => {
    const ours = [...document.operations.keys()].filter((operation) => operation.includes(' /v1/'));
    expect([...answered].toSorted()).toEqual(ours.toSorted());
  });
});
