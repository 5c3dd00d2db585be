import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRequest, LoadResult, Target } from './load.js';
import type { Application, Server } from './application.js';
import { type Environment, withClient } from './environment.js';
import { random } from './random.js';

export const CONNECTIONS = 32;
const PRODUCTS = 100;
const CUSTOMERS = 50;
const LINES = 4;
const BODIES = 1_000;
/** Enough of each product for every order of a long run. */
const RECEIPTS = 10;
const LARGEST_RECEIPT = 1_000_000;

const product = (number: number) => `product-${number}`;

/** Orders of four lines, of some customers, for some products: the same ones in every run. */
export function orderRequests(): LoadRequest[] {
  const next = random(7);
  const below = (limit: number) => Math.floor(next() * limit);
  return Array.from({ length: BODIES }, () => {
    const first = below(PRODUCTS);
    const lines = Array.from({ length: LINES }, (_, line) => ({ productId: product((first + line * 7) % PRODUCTS), quantity: 1 + below(9), unitPrice: 100 + below(9_900), discountPercent: below(3) * 5 }));
    return { method: 'POST', path: '/v1/orders', body: JSON.stringify({ customerId: `customer-${below(CUSTOMERS)}`, lines }) };
  });
}

/** A database with the tables of the application, made by its own migrations; if it is `stocked`, with products for every order. */
export async function createApplicationDatabase(environment: Environment, { stocked = false } = {}): Promise<string> {
  const databaseUrl = await environment.createDatabase();
  const app = await environment.startApplication({ databaseUrl });
  if (stocked) await Promise.all(Array.from({ length: PRODUCTS }, (_, number) => stock(app, product(number))));
  await app.stop();
  return databaseUrl;
}

async function stock(app: Application, id: string): Promise<void> {
  await app.call('POST', '/v1/products', 201, { id, name: `Product ${id}` });
  for (let receipt = 0; receipt < RECEIPTS; receipt++) await app.call('POST', `/v1/products/${id}/receipts`, 200, { quantity: LARGEST_RECEIPT });
}

/** Where load goes, with how it is counted. */
export function targetOf(server: Pick<Server, 'url' | 'headers'>, requests: readonly LoadRequest[], status: number): Target {
  return { url: server.url, headers: server.headers, requests, connections: CONNECTIONS, status };
}

/** @throws unless every answer was as it should be */
export function expectAllRight({ answers, wrong }: Pick<LoadResult, 'answers' | 'wrong'>): void {
  const others = Object.entries(wrong).map(([what, count]) => `${count} times "${what}"`);
  if (others.length > 0) throw new Error(`Of ${answers} requests these were not answered as they should be: ${others.join(', ')}.`);
  if (answers === 0) throw new Error('Not one request was answered.');
}

/** How many orders there are, and how many events say that one was placed. */
export async function countOrders(databaseUrl: string): Promise<{ orders: number; events: number }> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query("select (select count(*)::int from ordering.orders) orders, (select count(*)::int from ordering.outbox where type = 'ordering.order-placed') events"),
  );
  return rows[0];
}

/** @throws unless there is one order and one event more for every answer */
export async function expectStored(databaseUrl: string, before: { orders: number; events: number }, answers: number): Promise<void> {
  const after = await countOrders(databaseUrl);
  const [orders, events] = [after.orders - before.orders, after.events - before.events];
  if (orders !== answers || events !== answers) throw new Error(`${answers} orders were answered with 201; the database has ${orders} of them, and ${events} events.`);
}

/** What the newest order and its event are made of: columns, members of JSON and their types, to be compared. */
export async function storedShape(databaseUrl: string): Promise<string> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query("select (select to_jsonb(o) from ordering.orders o order by id desc limit 1) as order, (select to_jsonb(e) from ordering.outbox e where type = 'ordering.order-placed' order by position desc limit 1) event"),
  );
  return JSON.stringify(shapeOf(rows[0]));
}

/** Every value by its type; a list by its first item. */
export function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return [shapeOf(value[0])];
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => one.localeCompare(other)).map(([name, member]) => [name, shapeOf(member)]));
}

/** How long events may take to be handled after the last order, in ms. */
const PATIENCE_MS = 300_000;
const WAITING = "select exists (select from ordering.orders where tenant_id = 'default' and status = 'placed') waiting";
const COUNTED = "select (select count(*) from ordering.orders where status = 'confirmed')::int confirmed, (select count(*) from ordering.orders)::int orders, (select coalesce(sum(orders), 0) from reporting.sales)::int counted";

/** Waits until every order is confirmed, and counted among the sales. @throws when that takes too long, or another end was found */
export async function drained(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    for (const patience = performance.now() + PATIENCE_MS; ; await sleep(100)) {
      const waiting = (await client.query(WAITING)).rows[0].waiting as boolean;
      // Only at the end: it reads everything.
      const { confirmed, orders, counted } = waiting ? {} : (await client.query(COUNTED)).rows[0];
      if (!waiting && confirmed === orders && counted === orders) return;
      if (performance.now() > patience) throw new Error(`Not all orders are through ${PATIENCE_MS / 1_000} s after the last was placed: of ${orders ?? 'all'}, ${confirmed ?? 'not all'} are confirmed and ${counted ?? 'not all'} counted.`);
    }
  });
}
