import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';

/** An answer of the API, with its body as JSON. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly traceId: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export interface Money {
  readonly amount: number;
  readonly currency: string;
}

export interface Line {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly discountPercent?: number;
}

export interface Order {
  readonly id: string;
  readonly customerId: string;
  readonly reference: string | null;
  readonly status: string;
  readonly reason?: string;
  readonly lines: readonly (Required<Line> & { readonly total: Money })[];
  readonly total: Money;
  readonly version: number;
  readonly history: readonly { readonly status: string; readonly time: string }[];
}

export interface Product {
  readonly id: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

export interface Sales {
  readonly orders: number;
  readonly units: number;
  readonly revenue: Money;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** How long an effect may take to show, in ms. It only ends a test that would never end. */
export const EVENTUALLY = { timeout: 60_000, interval: 20 };

export const usd = (amount: number): Money => ({ amount, currency: 'USD' });

let used = 0;
const run = randomBytes(3).toString('hex');
/** An id that nothing else in the tests has. */
export const unique = (name: string): string => `${name}-${run}-${++used}`;

/** The HTTP API, as somebody else's client would call it, with short cuts for what tests do often. */
export class Api {
  private token: Promise<string> | undefined;

  /** @param claims of the tokens that its service issues for development, with which it calls */
  constructor(readonly url: string, private readonly claims: { readonly tenant?: string; readonly permissions?: readonly string[] } = {}) {}

  async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const contentType: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const authorization: Record<string, string> = path.startsWith('/v1') ? { authorization: `Bearer ${await this.bearer()}` } : {};
    const response = await fetch(this.url + path, { method, headers: { ...contentType, ...authorization, ...headers }, ...payload, signal: AbortSignal.timeout(60_000) });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  }

  private bearer(): Promise<string> {
    this.token ??= fetch(`${this.url}/dev/token`, { method: 'POST', headers: { accept: 'text/plain', 'content-type': 'application/json' }, body: JSON.stringify(this.claims) }).then((answer) => answer.text());
    return this.token;
  }

  /** Reads what must be there. */
  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.call<T>('GET', path);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  }

  /** A new product with so many pieces on hand; gives its id. */
  async stock(quantity: number, id = unique('product')): Promise<string> {
    expect((await this.call('POST', '/v1/products', { id, name: `Product ${id}` })).status).toBe(201);
    if (quantity > 0) expect((await this.call('POST', `/v1/products/${id}/receipts`, { quantity })).status).toBe(200);
    return id;
  }

  /** Places an order that must be taken; gives its id. */
  async place(customerId: string, lines: readonly Line[], reference?: string): Promise<string> {
    const { status, body } = await this.call<{ id: string }>('POST', '/v1/orders', { customerId, lines, ...(reference !== undefined && { reference }) });
    expect(status, JSON.stringify(body)).toBe(201);
    return body.id;
  }

  order(id: string): Promise<Order> {
    return this.get(`/v1/orders/${id}`);
  }

  product(id: string): Promise<Product> {
    return this.get(`/v1/products/${id}`);
  }

  account(customerId: string): Promise<{ customerId: string; creditLimit: Money | null; charged: Money; available: Money | null }> {
    return this.get(`/v1/customers/${customerId}/account`);
  }

  sales(customerId?: string): Promise<Sales> {
    return this.get(`/v1/reports/sales${customerId === undefined ? '' : `/customers/${customerId}`}`);
  }

  /** Every order of a list, page by page. */
  async orders(filter: Record<string, string> = {}): Promise<Order[]> {
    const orders: Order[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page<Order> = await this.get(`/v1/orders?${new URLSearchParams({ limit: '200', ...filter, ...(cursor && { cursor }) })}`);
      orders.push(...page.items);
      cursor = page.nextCursor;
    }
    return orders;
  }

  /** The order once it is confirmed, rejected or cancelled. */
  async settled(id: string): Promise<Order> {
    for (const patience = performance.now() + EVENTUALLY.timeout; ; ) {
      const order = await this.order(id);
      if (order.status !== 'placed') return order;
      if (performance.now() > patience) throw new Error(`The order ${id} is still only placed after ${EVENTUALLY.timeout} ms.`);
      await new Promise((resolve) => setTimeout(resolve, EVENTUALLY.interval));
    }
  }
}

/** Expects a refusal: a problem as RFC 9457 describes it, that is true to its answer. */
export function expectProblem(answer: Answer<unknown>, status: number, code: string): Problem {
  const { headers, body } = answer as Answer<Problem>;
  expect([answer.status, body.code], JSON.stringify(body)).toEqual([status, code]);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, type: expect.stringMatching(/\S/), title: expect.stringMatching(/\S/), detail: expect.stringMatching(/\S/) });
  expect(body.traceId).toBe(headers.get('x-request-id'));
  return body;
}
