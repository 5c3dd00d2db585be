import { uuidv7 } from '@nestbox/kernel';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contexts } from '../../contexts.js';
import { RegisterProduct } from '../inventory/interactors/register-product.js';
import { ReceiveStock } from '../inventory/interactors/receive-stock.js';
import { CancelOrder } from './interactors/cancel-order.js';
import { GetOrder } from './interactors/get-order.js';
import { ListOrders } from './interactors/list-orders.js';
import { PlaceOrder } from './interactors/place-order.js';

describe('ordering', () => {
  let running: TestApplication;

  beforeAll(async () => {
    running = await TestApplication.start(Object.values(contexts));
    await running.commands.execute(new RegisterProduct('tofu', 'Tofu'));
    await running.commands.execute(new ReceiveStock('tofu', 1_000));
  });
  afterAll(() => running?.stop());

  const place = (customerId: string, reference?: string, quantity = 2) =>
    running.commands.execute(new PlaceOrder(customerId, [{ productId: 'tofu', quantity, unitPrice: 333, discountPercent: 15 }], reference));

  it('stores an order whole, and its event with it', async () => {
    const { id, status } = await place('whole', 'PO-1');
    expect(status).toBe('placed');
    await running.settled();
    expect(await running.queries.execute(new GetOrder(id))).toEqual({
      id,
      customerId: 'whole',
      reference: 'PO-1',
      status: 'confirmed',
      lines: [{ productId: 'tofu', quantity: 2, unitPrice: 333, discountPercent: 15, total: { amount: 566, currency: 'USD' } }],
      total: { amount: 566, currency: 'USD' },
      version: 2,
      history: [
        { status: 'placed', time: expect.stringMatching(/^\d{4}-.*Z$/) },
        { status: 'confirmed', time: expect.stringMatching(/^\d{4}-.*Z$/) },
      ],
    });
    const events = await running.eventsOf('ordering', id);
    expect(events.map((event) => event.type)).toEqual(['ordering.order-placed', 'ordering.order-confirmed']);
    expect(events[1]!.payload).toEqual({ orderId: id, customerId: 'whole', units: 2, total: { amount: 566, currency: 'USD' } });
  });

  it('refuses a second order with the same reference, of the same customer only', async () => {
    await place('first', 'PO-1');
    await expect(place('first', 'PO-1')).rejects.toMatchObject({ kind: 'conflict', code: 'ordering.duplicate-reference' });
    await place('second', 'PO-1');
    await place('first');
    await place('first');
    const { items } = await running.queries.execute(new ListOrders({ customerId: 'first' }));
    expect(items.map((order) => order.reference)).toEqual([null, null, 'PO-1']);
  });

  it('takes exactly one of many orders with one reference at the same time', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => place('racing', 'PO-1')));
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
  });

  it('cannot cancel an order that is confirmed or does not exist', async () => {
    const { id } = await place('late');
    await running.settled();
    await expect(running.commands.execute(new CancelOrder(id))).rejects.toMatchObject({ kind: 'conflict', code: 'ordering.order-not-cancellable' });
    const unknown = uuidv7();
    await expect(running.commands.execute(new CancelOrder(unknown))).rejects.toMatchObject({ kind: 'not-found', details: { orderId: unknown } });
    await expect(running.queries.execute(new GetOrder(unknown))).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('lists newest first, page by page, without gaps or repetitions', async () => {
    const placed: string[] = [];
    for (let i = 0; i < 7; i++) placed.push((await place('paged')).id);
    const seen: string[] = [];
    let after: string | null | undefined;
    do {
      const page = await running.queries.execute(new ListOrders({ customerId: 'paged', limit: 3, ...(after && { after }) }));
      seen.push(...page.items.map((order) => order.id));
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual(placed.toReversed());
  });

  it('lists by status', async () => {
    const { id } = await place('greedy', undefined, 1_000_000);
    await running.settled();
    const { items, next } = await running.queries.execute(new ListOrders({ status: 'rejected', customerId: 'greedy' }));
    expect(items).toMatchObject([{ id, reason: 'out-of-stock' }]);
    expect(next).toBeNull();
  });
});
