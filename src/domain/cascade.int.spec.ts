import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contexts } from '../contexts.js';
import { ReceiveStock } from './inventory/interactors/receive-stock.js';
import { RegisterProduct } from './inventory/interactors/register-product.js';
import { PlaceOrder } from './ordering/interactors/place-order.js';

describe('the cascade of one command', () => {
  let running: TestApplication;

  beforeAll(async () => {
    running = await TestApplication.start(Object.values(contexts));
    await running.commands.execute(new RegisterProduct('chai', 'Chai'));
    await running.commands.execute(new ReceiveStock('chai', 5));
  });

  afterAll(() => running?.stop());

  const place = (quantity: number) =>
    running.execute(new PlaceOrder('VINET', [{ productId: 'chai', quantity, unitPrice: 1_800 }]));

  it('goes from the order to its confirmation, each event caused by the one before', async () => {
    const { result, events } = await place(2);
    const byType = new Map(events.map((event) => [event.type, event]));
    const path = ['ordering.order-placed', 'inventory.stock-reserved', 'billing.payment-authorised', 'ordering.order-confirmed'];
    expect([...byType.keys()].sort()).toEqual(path.toSorted());
    for (const [index, type] of path.entries()) {
      if (index > 0) expect(byType.get(type)!.causationId, type).toBe(byType.get(path[index - 1]!)!.id);
    }
    expect(events.every((event) => event.handled)).toBe(true);
    expect(byType.get('ordering.order-placed')!.aggregateId).toBe(result.id);
  });

  it('ends with the rejection when there is not enough', async () => {
    const { events } = await place(50);
    expect(events.map((event) => event.type).sort()).toEqual(['inventory.stock-rejected', 'ordering.order-placed', 'ordering.order-rejected']);
  });
});
