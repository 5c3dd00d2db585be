import { describe, expect, it } from 'vitest';
import { expectProblem, unique } from '../api.ts';
import type { RunningApp } from '../harness.ts';

type Fields = Record<string, unknown>;
const line: Fields = { productId: 'tea', quantity: 1, unitPrice: 100 };
const lines = (count: number) => Array.from({ length: count }, () => line);
const { productId: _productId, ...lineWithoutProduct } = line;
const { quantity: _quantity, ...lineWithoutQuantity } = line;
const { unitPrice: _unitPrice, ...lineWithoutPrice } = line;

/** What is wrong, the change to a valid order, and the field that the answer has to name. */
const INVALID_ORDERS: readonly [what: string, change: Fields, pointer: string][] = [
  ['an unknown field', { coupon: 'SAVE10' }, '/coupon'],
  ['a field that only the server sets', { status: 'confirmed' }, '/status'],
  ['an unknown field in a line', { lines: [{ ...line, weight: 1 }] }, '/lines/0/weight'],
  ['no customer', { customerId: undefined }, '/customerId'],
  ['a customer that is a number', { customerId: 42 }, '/customerId'],
  ['a customer that is null', { customerId: null }, '/customerId'],
  ['an empty customer', { customerId: '' }, '/customerId'],
  ['a customer with characters that an id cannot have', { customerId: 'a b/c' }, '/customerId'],
  ['a customer that is too long', { customerId: 'x'.repeat(65) }, '/customerId'],
  ['a reference that is a number', { reference: 10_248 }, '/reference'],
  ['a reference that is null', { reference: null }, '/reference'],
  ['an empty reference', { reference: '' }, '/reference'],
  ['a blank reference', { reference: '  ' }, '/reference'],
  ['a reference that is too long', { reference: 'x'.repeat(101) }, '/reference'],
  ['no lines', { lines: undefined }, '/lines'],
  ['empty lines', { lines: [] }, '/lines'],
  ['lines that are no list', { lines: line }, '/lines'],
  ['lines that are null', { lines: null }, '/lines'],
  ['101 lines', { lines: lines(101) }, '/lines'],
  ['a line that is text', { lines: ['tea'] }, '/lines'],
  ['a line that is null', { lines: [line, null] }, '/lines'],
  ['a line that is a list', { lines: [[]] }, '/lines'],
  ['a line without a product', { lines: [lineWithoutProduct] }, '/lines/0/productId'],
  ['a product that is a number', { lines: [{ ...line, productId: 1 }] }, '/lines/0/productId'],
  ['a line without a quantity', { lines: [lineWithoutQuantity] }, '/lines/0/quantity'],
  ['the quantity 0', { lines: [line, { ...line, quantity: 0 }] }, '/lines/1/quantity'],
  ['a negative quantity', { lines: [{ ...line, quantity: -1 }] }, '/lines/0/quantity'],
  ['half a piece', { lines: [{ ...line, quantity: 1.5 }] }, '/lines/0/quantity'],
  ['a quantity that is text', { lines: [{ ...line, quantity: '2' }] }, '/lines/0/quantity'],
  ['a quantity that is a truth value', { lines: [{ ...line, quantity: true }] }, '/lines/0/quantity'],
  ['a line without a price', { lines: [lineWithoutPrice] }, '/lines/0/unitPrice'],
  ['a negative price', { lines: [{ ...line, unitPrice: -1 }] }, '/lines/0/unitPrice'],
  ['fractions of a cent', { lines: [{ ...line, unitPrice: 99.5 }] }, '/lines/0/unitPrice'],
  ['a price that is text', { lines: [{ ...line, unitPrice: '100' }] }, '/lines/0/unitPrice'],
  ['a price beyond exact numbers', { lines: [{ ...line, unitPrice: 2 ** 53 }] }, '/lines/0/unitPrice'],
  ['a negative discount', { lines: [{ ...line, discountPercent: -1 }] }, '/lines/0/discountPercent'],
  ['a discount above 100', { lines: [{ ...line, discountPercent: 101 }] }, '/lines/0/discountPercent'],
  ['a discount of half a percent', { lines: [{ ...line, discountPercent: 0.5 }] }, '/lines/0/discountPercent'],
  ['a discount that is text', { lines: [{ ...line, discountPercent: '5' }] }, '/lines/0/discountPercent'],
  ['a discount that is null', { lines: [{ ...line, discountPercent: null }] }, '/lines/0/discountPercent'],
];

/** A method, a path and a body that break a rule, and the field that the answer has to name. */
const INVALID_REQUESTS: readonly [what: string, method: string, path: string, body: unknown, pointer: string][] = [
  ['a product without an id', 'POST', '/v1/products', { name: 'Tea' }, '/id'],
  ['a product without a name', 'POST', '/v1/products', { id: 'invalid-product' }, '/name'],
  ['a product with a number for a name', 'POST', '/v1/products', { id: 'invalid-product', name: 1 }, '/name'],
  ['a product with an unknown field', 'POST', '/v1/products', { id: 'invalid-product', name: 'Tea', onHand: 5 }, '/onHand'],
  ['a receipt of nothing', 'POST', '/v1/products/{product}/receipts', { quantity: 0 }, '/quantity'],
  ['a receipt of less than nothing', 'POST', '/v1/products/{product}/receipts', { quantity: -5 }, '/quantity'],
  ['a receipt of text', 'POST', '/v1/products/{product}/receipts', { quantity: '5' }, '/quantity'],
  ['a receipt without a quantity', 'POST', '/v1/products/{product}/receipts', {}, '/quantity'],
  ['a credit limit that is left out', 'PUT', '/v1/customers/invalid-limit/credit-limit', {}, '/amount'],
  ['a negative credit limit', 'PUT', '/v1/customers/invalid-limit/credit-limit', { amount: -1 }, '/amount'],
  ['a credit limit with fractions of a cent', 'PUT', '/v1/customers/invalid-limit/credit-limit', { amount: 0.5 }, '/amount'],
  ['a credit limit that is text', 'PUT', '/v1/customers/invalid-limit/credit-limit', { amount: '5' }, '/amount'],
  ['an order id that is none', 'GET', '/v1/orders/42', undefined, '/id'],
  ['a cancellation of what is no order id', 'POST', '/v1/orders/42/cancel', undefined, '/id'],
  ['a page of no orders', 'GET', '/v1/orders?limit=0', undefined, '/limit'],
  ['a page of too many orders', 'GET', '/v1/orders?limit=201', undefined, '/limit'],
  ['a page size that is text', 'GET', '/v1/orders?limit=many', undefined, '/limit'],
  ['a status that there is not', 'GET', '/v1/orders?status=lost', undefined, '/status'],
  ['a filter that there is not', 'GET', '/v1/orders?page=2', undefined, '/page'],
  ['a cursor with characters that none has', 'GET', '/v1/orders?cursor=%2B%2B', undefined, '/cursor'],
  ['a customer id that is none', 'GET', '/v1/customers/a%20b/account', undefined, '/id'],
];

/** Requests that break a rule are refused with the field's name, and change nothing. */
export function invalidRequests(app: () => RunningApp): void {
  describe('an order is refused for', () => {
    const order = (customerId: string): Fields => ({ customerId, reference: 'R-1', lines: [line] });

    it.each(INVALID_ORDERS)('%s', async (_what, change, pointer) => {
      const { api } = app();
      const customerId = unique('invalid');
      const problem = expectProblem(await api.call('POST', '/v1/orders', { ...order(customerId), ...change }), 400, 'http.invalid-request');
      expect(problem.instance).toBe('/v1/orders');
      // The field is named, and nothing else but what is inside it.
      expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
      for (const error of problem.errors!) expect(error.pointer).toMatch(new RegExp(`^${pointer}(/|$)`));
      expect(problem.errors![0]!.detail).toMatch(/\S/);
      expect(await api.orders({ customerId })).toEqual([]);
    });

    it.each([
      ['a list', []],
      ['text', '"an order"'],
      ['null', 'null'],
      ['nothing at all', undefined],
      ['a trap for prototypes', '{"__proto__":{"customerId":"VINET"}}'],
    ])('being %s', async (_what, body) => {
      const answer = await app().api.call('POST', '/v1/orders', body);
      expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([400, 'application/problem+json']);
    });

    it('everything at once, with every field named', async () => {
      const body = { customerId: 1, lines: [{ ...line, quantity: 0, discountPercent: 101 }], coupon: 'X' };
      const { errors } = expectProblem(await app().api.call('POST', '/v1/orders', body), 400, 'http.invalid-request');
      expect(errors?.map((error) => error.pointer).toSorted()).toEqual(['/coupon', '/customerId', '/lines/0/discountPercent', '/lines/0/quantity']);
    });

    it('none of these when it is valid', async () => {
      const { api } = app();
      const customerId = unique('valid');
      const bounds = { productId: 'x'.repeat(64), quantity: 1_000_000, unitPrice: 0, discountPercent: 100 };
      expect((await api.call('POST', '/v1/orders', order(customerId))).status).toBe(201);
      expect((await api.call('POST', '/v1/orders', { ...order(customerId), reference: 'x'.repeat(100), lines: [...lines(99), bounds] })).status).toBe(201);
      expect(await api.orders({ customerId })).toHaveLength(2);
    });

    it('a total that cannot be calculated exactly', async () => {
      const { api } = app();
      const customerId = unique('invalid');
      const answer = await api.call('POST', '/v1/orders', { customerId, lines: [{ ...line, quantity: 2, unitPrice: Number.MAX_SAFE_INTEGER }] });
      expectProblem(answer, 422, 'ordering.order-too-large');
      expect(await api.orders({ customerId })).toEqual([]);
    });
  });

  describe('a request is refused for', () => {
    it.each(INVALID_REQUESTS)('%s', async (_what, method, path, body, pointer) => {
      const { api } = app();
      const productId = await api.stock(1);
      const problem = expectProblem(await api.call(method, path.replace('{product}', productId), body), 400, 'http.invalid-request');
      expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
      expect(await api.product(productId)).toMatchObject({ onHand: 1 });
      expect((await api.call('GET', '/v1/products/invalid-product')).status).toBe(404);
      expect((await api.account('invalid-limit')).creditLimit).toBeNull();
    });

    it('a cursor that no page has given', async () => {
      expectProblem(await app().api.call('GET', '/v1/orders?cursor=bm9uc2Vuc2U'), 400, 'http.invalid-cursor');
    });
  });

  describe('what is not there', () => {
    it('is not found: a product, read or supplied', async () => {
      const { api } = app();
      const id = unique('unknown');
      expectProblem(await api.call('GET', `/v1/products/${id}`), 404, 'inventory.product-not-found');
      expectProblem(await api.call('POST', `/v1/products/${id}/receipts`, { quantity: 1 }), 404, 'inventory.product-not-found');
      expectProblem(await api.call('GET', `/v1/products/${id}`), 404, 'inventory.product-not-found');
    });

    it('is registered once: a second product with the same id is refused', async () => {
      const { api } = app();
      const id = await api.stock(5);
      expectProblem(await api.call('POST', '/v1/products', { id, name: 'Another' }), 409, 'inventory.product-already-registered');
      expect(await api.product(id)).toMatchObject({ onHand: 5, name: `Product ${id}` });
    });
  });
}
