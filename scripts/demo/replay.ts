import type { Api } from './api.ts';
import { type Northwind, type Order, piecesPerProduct, type Product } from './northwind.ts';
import { keyOf, type ListedOrder, listOrders } from './orders-list.ts';

/** How often the system is asked how far it is, in ms. */
const LOOK_EVERY = 200;

/** Is told how far a phase is. */
export interface Meter {
  tick(): void;
  show(count: number): void;
}

export interface ReplayOptions {
  readonly concurrency: number;
  /** How long nothing may get on until that is a failure, in ms. */
  readonly patienceMs: number;
  readonly meter: (label: string, total: number) => Meter;
  /** Happens once, when half of the orders are placed. */
  readonly halfWay?: () => void;
}

export interface Replayed {
  /** When the request for an order was sent, in ms since 1970; only orders that were not there before. */
  readonly requestedAt: ReadonlyMap<string, number>;
  /** Northwind's orders as the system has them now, all settled. */
  readonly orders: readonly ListedOrder[];
  /** Orders in the system that are not Northwind's. */
  readonly others: readonly ListedOrder[];
}

/** Registers the products, receives stock, places the orders and waits until they have settled. Repeating it changes nothing. */
export async function replay(api: Api, { products, orders }: Northwind, options: ReplayOptions): Promise<Replayed> {
  const before = new Map((await listOrders(api)).map((order) => [keyOf(order), order]));
  const toPlace = orders.filter((order) => !before.has(keyOf(order)));
  // An order that still waits may not have its stock yet.
  const toSupply = orders.filter((order) => (before.get(keyOf(order))?.status ?? 'placed') === 'placed');
  await supply(api, products, piecesPerProduct(toSupply), options);
  const requestedAt = await place(api, toPlace, options);
  await settle(api, orders, options);
  const ours = new Set(orders.map(keyOf));
  const listed = await listOrders(api);
  return { requestedAt, orders: listed.filter((order) => ours.has(keyOf(order))), others: listed.filter((order) => !ours.has(keyOf(order))) };
}

/** Registers what is not registered, and receives what is not available. */
async function supply(api: Api, products: readonly Product[], pieces: ReadonlyMap<string, number>, { concurrency, meter }: ReplayOptions): Promise<void> {
  const progress = meter('Products', products.length);
  await inParallel(products, concurrency, async ({ id, name }) => {
    await api.post('/v1/products', { id, name }, [201, 409]);
    // A receipt without an answer may have been booked: every attempt looks first what is there.
    await api.patiently(async () => {
      const { body } = await api.once<{ available: number }>('GET', `/v1/products/${id}`, undefined, [200]);
      const missing = (pieces.get(id) ?? 0) - body.available;
      if (missing > 0) await api.once('POST', `/v1/products/${id}/receipts`, { quantity: missing }, [200]);
    });
    progress.tick();
  });
}

/** Places the orders. One that is there already, from an attempt without an answer, is as good as placed. */
async function place(api: Api, orders: readonly Order[], { concurrency, meter, halfWay }: ReplayOptions): Promise<Map<string, number>> {
  const requestedAt = new Map<string, number>();
  if (orders.length === 0) return requestedAt;
  const progress = meter('Placed', orders.length);
  let placed = 0;
  await inParallel(orders, concurrency, async (order) => {
    requestedAt.set(keyOf(order), Date.now());
    await api.post('/v1/orders', order, [201, 409]);
    progress.tick();
    placed += 1;
    if (placed === Math.ceil(orders.length / 2)) halfWay?.();
  });
  return requestedAt;
}

/** Waits until none of the orders is open. @throws Error naming those that are, when none settles for too long */
async function settle(api: Api, orders: readonly Order[], { patienceMs, meter }: ReplayOptions): Promise<void> {
  const progress = meter('Settled', orders.length);
  const ours = new Set(orders.map(keyOf));
  let fewest = Infinity;
  let lastProgress = performance.now();
  for (;;) {
    const open = (await listOrders(api, 'placed')).filter((order) => ours.has(keyOf(order)));
    progress.show(orders.length - open.length);
    if (open.length === 0) return;
    if (open.length < fewest) {
      fewest = open.length;
      lastProgress = performance.now();
    } else if (performance.now() - lastProgress > patienceMs) {
      throw new Error(`${open.length} orders have not settled, and none did for ${patienceMs / 1000} s: ${namesOf(open)}.`);
    }
    await pause();
  }
}

/** The first few references, for people. */
export function namesOf(orders: readonly { readonly reference: string | null }[]): string {
  const names = orders.slice(0, 20).map((order) => order.reference);
  return orders.length > names.length ? `${names.join(', ')} and ${orders.length - names.length} more` : names.join(', ');
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
}

/** Works on all items, on a few at the same time. */
async function inParallel<T>(items: readonly T[], concurrency: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
