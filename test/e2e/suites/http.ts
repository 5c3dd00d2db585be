import { describe, expect, it } from 'vitest';
import { expectProblem, type Problem, unique } from '../api.ts';
import { withTransaction } from '../database.ts';
import type { RunningApp } from '../harness.ts';

const OPERATIONS = [
  'get /v1/customers/{id}/account',
  'get /v1/orders',
  'get /v1/orders/{id}',
  'get /v1/products',
  'get /v1/products/{id}',
  'get /v1/reports/sales',
  'get /v1/reports/sales/customers/{id}',
  'post /v1/orders',
  'post /v1/orders/{id}/cancel',
  'post /v1/products',
  'post /v1/products/{id}/receipts',
  'put /v1/customers/{id}/credit-limit',
];

/** What holds for every request: health, documentation, errors and ids. */
export function http(app: () => RunningApp): void {
  describe('health', () => {
    it.each(['/health/live', '/health/ready'])('%s is ok in every process', async (path) => {
      for (const { name, url } of app().services) {
        const response = await fetch(url + path);
        expect([name, response.status, await response.json()]).toEqual([name, 200, expect.objectContaining({ status: 'ok' })]);
      }
    });
  });

  describe('the documentation', () => {
    it('has a page for people', async () => {
      const { status, headers, body } = await app().api.call<string>('GET', '/docs');
      expect([status, headers.get('content-type')?.split(';')[0]]).toEqual([200, 'text/html']);
      expect(body).toContain('swagger-ui');
    });

    it('has a document with every operation and with the fields of what they take', async () => {
      const document = await app().api.get<{ paths: Record<string, object>; components: { schemas: Record<string, { properties: object }> } }>('/docs-json');
      const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
      expect(operations.filter((operation) => operation.includes(' /v1/')).toSorted()).toEqual(OPERATIONS);
      expect(Object.keys(document.components.schemas['PlaceOrderBody']!.properties)).toEqual(['customerId', 'reference', 'lines']);
    });
  });

  describe('a version', () => {
    it('is read once, and required of a change, wherever the owner of the data runs', async () => {
      const { api } = app();
      const id = await api.stock(1);
      const read = (headers: Record<string, string> = {}) => api.call<{ onHand: number; version: number }>('GET', `/v1/products/${id}`, undefined, headers);
      const receive = (tags: string) => api.call<Problem>('POST', `/v1/products/${id}/receipts`, { quantity: 1 }, { 'if-match': tags });
      const { headers, body } = await read();
      const etag = headers.get('etag')!;
      expect(etag).toBe(`"${body.version}"`);
      const known = await read({ 'if-none-match': etag });
      expect([known.status, known.body]).toEqual([304, '']);
      expect((await receive(etag)).status).toBe(200);
      expectProblem(await receive(etag), 412, 'persistence.version-mismatch');
      expect((await read({ 'if-none-match': etag })).body.onHand).toBe(2);
    });
  });

  describe('an error', () => {
    it('is a problem for a route that there is not', async () => {
      const { api } = app();
      expect(expectProblem(await api.call('GET', '/v1/nothing?secret=1'), 404, 'http.not-found').instance).toBe('/v1/nothing');
      expectProblem(await api.call('DELETE', '/v1/orders'), 405, 'http.method-not-allowed');
    });

    it.each(['{"customerId":', '{"a":1}}', 'customerId=VINET'])('is a problem for malformed JSON: %s', async (body) => {
      expectProblem(await app().api.call('POST', '/v1/orders', body), 400, 'http.malformed-json');
    });

    it('is a problem for a body that is no JSON, or too large', async () => {
      const { api } = app();
      expectProblem(await api.call('POST', '/v1/orders', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'http.unsupported-media-type');
      expectProblem(await api.call('POST', '/v1/orders', { customerId: 'x'.repeat(1_100_000) }), 413, 'http.too-large');
    });

    it('is a problem for a URL that cannot be decoded', async () => {
      const answer = await app().api.call<Problem>('GET', '/v1/orders/%E0%A4%A');
      expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([400, 'application/problem+json']);
    });
  });

  describe('the request id', () => {
    it('is the one that the caller has sent, with answers of every kind', async () => {
      const { api } = app();
      for (const path of ['/v1/reports/sales', '/v1/nothing', '/v1/orders/42', '/health/live']) {
        const id = unique('request');
        expect((await api.call('GET', path, undefined, { 'x-request-id': id })).headers.get('x-request-id')).toBe(id);
      }
    });

    it('is a new one for every request without one, or with one that cannot be used', async () => {
      const { api } = app();
      const given: readonly Record<string, string>[] = [{}, {}, { 'x-request-id': 'not usable' }, { 'x-request-id': 'x'.repeat(200) }];
      const answers = await Promise.all(given.map((headers) => api.call('GET', '/v1/reports/sales', undefined, headers)));
      const ids = answers.map((answer) => answer.headers.get('x-request-id'));
      for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('follows the order through every context', async () => {
      const { api, database } = app();
      const [id, productId] = [unique('request'), await api.stock(1)];
      const placed = await api.call<{ id: string }>('POST', '/v1/orders', { customerId: unique('customer'), lines: [{ productId, quantity: 1, unitPrice: 1 }] }, { 'x-request-id': id });
      expect(await api.settled(placed.body.id)).toMatchObject({ status: 'confirmed' });
      const { rows } = await withTransaction(database.url, (client) =>
        client.query(
          `select type from (select * from ordering.outbox union all select * from inventory.outbox union all select * from billing.outbox) events where headers->>'correlationId' = $1`,
          [id],
        ),
      );
      expect(rows.map((row) => row.type).toSorted()).toEqual(['billing.payment-authorised', 'inventory.stock-reserved', 'ordering.order-confirmed', 'ordering.order-placed']);
    });
  });
}
