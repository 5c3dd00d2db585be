import { uuidv7 } from '@nestbox/kernel';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contexts } from '../../contexts.js';
import { PaymentDeclined } from '../billing/models/charge.events.js';
import { OrderCancelled, OrderPlaced } from '../ordering/models/order.events.js';
import { GetProduct } from './interactors/get-product.js';
import { ListProducts } from './interactors/list-products.js';
import { ReceiveStock } from './interactors/receive-stock.js';
import { RegisterProduct } from './interactors/register-product.js';
import { ReleaseStockWhenOrderFallsThrough } from './interactors/release-stock-when-order-falls-through.js';
import { ReserveStockWhenOrderPlaced } from './interactors/reserve-stock-when-order-placed.js';

const free = { amount: 0, currency: 'USD' };

/** The event of an order that costs nothing. */
function orderOf(orderId: string, ...lines: [productId: string, quantity: number][]): OrderPlaced {
  const ordered = lines.map(([productId, quantity]) => ({ productId, quantity, unitPrice: free, discountPercent: 0, total: free }));
  return new OrderPlaced(orderId, 'VINET', ordered, free, '2026-03-01T12:00:00.000Z');
}

describe('inventory', () => {
  let running: TestApplication;

  beforeAll(async () => {
    running = await TestApplication.start(Object.values(contexts));
  });
  afterAll(() => running?.stop());

  const stock = async (id: string, quantity: number) => {
    await running.commands.execute(new RegisterProduct(id, `Product ${id}`));
    await running.commands.execute(new ReceiveStock(id, quantity));
  };
  const levels = async (id: string) => {
    const { onHand, reserved, available } = await running.queries.execute(new GetProduct(id));
    return [onHand, reserved, available];
  };
  const reserve = (...orders: OrderPlaced[]) => running.deliver(ReserveStockWhenOrderPlaced, ...orders);
  const cancel = (orderId: string) => running.deliver(ReleaseStockWhenOrderFallsThrough, new OrderCancelled(orderId, 'VINET'));
  const typesOf = async (orderId: string) => (await running.eventsOf('inventory', orderId)).map((event) => event.type);

  it('registers a product once', async () => {
    await running.commands.execute(new RegisterProduct('once', 'Once'));
    await expect(running.commands.execute(new RegisterProduct('once', 'Twice'))).rejects.toMatchObject({ kind: 'conflict', code: 'inventory.product-already-registered' });
    expect(await running.queries.execute(new GetProduct('once'))).toEqual({ id: 'once', name: 'Once', onHand: 0, reserved: 0, available: 0, version: 1 });
  });

  it('knows nothing of a product that is not registered', async () => {
    await expect(running.commands.execute(new ReceiveStock('unheard', 1))).rejects.toMatchObject({ kind: 'not-found', code: 'inventory.product-not-found' });
    await expect(running.queries.execute(new GetProduct('unheard'))).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('counts receipts that arrive at the same time, every one', async () => {
    await stock('rush', 1);
    await Promise.all(Array.from({ length: 60 }, () => running.commands.execute(new ReceiveStock('rush', 5))));
    expect(await levels('rush')).toEqual([301, 0, 301]);
  });

  it('reserves all lines of an order or none', async () => {
    await stock('a1', 10);
    await stock('a2', 10);
    const [good, bad] = [uuidv7(), uuidv7()];
    await reserve(orderOf(good, ['a1', 4], ['a2', 10]));
    await reserve(orderOf(bad, ['a1', 4], ['a2', 1]));
    expect(await levels('a1')).toEqual([10, 4, 6]);
    expect(await levels('a2')).toEqual([10, 10, 0]);
    expect(await typesOf(good)).toEqual(['inventory.stock-reserved']);
    expect(await running.eventsOf('inventory', bad)).toEqual([
      { type: 'inventory.stock-rejected', payload: { orderId: bad, shortages: [{ productId: 'a2', wanted: 1, available: 0 }] } },
    ]);
  });

  it('lets orders of one batch share what there is', async () => {
    await stock('shared', 10);
    const orders = Array.from({ length: 4 }, () => uuidv7());
    await reserve(...orders.map((id) => orderOf(id, ['shared', 3])));
    expect(await levels('shared')).toEqual([10, 9, 1]);
    expect((await Promise.all(orders.map(typesOf))).flat().toSorted()).toEqual(['inventory.stock-rejected', ...Array(3).fill('inventory.stock-reserved')]);
  });

  it('gives back what an order held when it is cancelled or its payment is declined', async () => {
    await stock('back', 10);
    const [cancelled, declined] = [uuidv7(), uuidv7()];
    await reserve(orderOf(cancelled, ['back', 3]), orderOf(declined, ['back', 4]));
    await cancel(cancelled);
    await running.deliver(ReleaseStockWhenOrderFallsThrough, new PaymentDeclined(declined, 'VINET', 'credit-limit'));
    expect(await levels('back')).toEqual([10, 0, 10]);
    expect(await typesOf(cancelled)).toEqual(['inventory.stock-reserved', 'inventory.stock-released']);
  });

  it('reserves nothing for an order whose cancellation came first', async () => {
    await stock('early', 10);
    const id = uuidv7();
    await cancel(id);
    await reserve(orderOf(id, ['early', 3]));
    expect(await levels('early')).toEqual([10, 0, 10]);
    expect(await typesOf(id)).toEqual([]);
  });

  it('lists products by id, page by page', async () => {
    for (const id of ['l3', 'l1', 'l2']) await running.commands.execute(new RegisterProduct(id, id));
    const all = await running.queries.execute(new ListProducts(200));
    const ids: string[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await running.queries.execute(new ListProducts(2, after));
      ids.push(...page.items.map((product) => product.id));
      after = page.next;
    }
    expect(ids).toEqual(all.items.map((product) => product.id));
    expect(ids.filter((id) => id.startsWith('l'))).toEqual(['l1', 'l2', 'l3']);
  });
});
