import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Money } from '@nestbox/kernel';
import { given, TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import { BillingModule } from '../../src/domain/billing/billing.module.js';
import { ReceiveStock } from '../../src/domain/inventory/interactors/receive-stock.js';
import { RegisterProduct } from '../../src/domain/inventory/interactors/register-product.js';
import { ReserveStockWhenOrderPlaced } from '../../src/domain/inventory/interactors/reserve-stock-when-order-placed.js';
import { InventoryModule } from '../../src/domain/inventory/inventory.module.js';
import { GetOrder } from '../../src/domain/ordering/interactors/get-order.js';
import { PlaceOrder } from '../../src/domain/ordering/interactors/place-order.js';
import { OrderNotCancellable } from '../../src/domain/ordering/models/order.errors.js';
import { OrderConfirmed } from '../../src/domain/ordering/models/order.events.js';
import { Order } from '../../src/domain/ordering/models/order.js';
import { OrderingModule } from '../../src/domain/ordering/ordering.module.js';

const page = readFileSync(path.join(projectRoot, 'docs/how-to/test.md'), 'utf8');
const here = readFileSync(fileURLToPath(import.meta.url), 'utf8');
const unindented = (code: string) => code.split('\n').map((line) => line.trim()).filter(Boolean).join('\n');

describe('the page about tests', () => {
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);

  it('has examples', () => {
    expect(blocks.length).toBeGreaterThan(3);
  });

  it.each(blocks.map((code, index) => [index + 1, code] as const))('shows only what runs below: example %i', (_, code) => {
    expect(unindented(here)).toContain(unindented(code));
  });

  it('tells how an aggregate decides', () => {
    const [noon, later] = [new Date('2026-03-01T12:00:00Z'), new Date('2026-03-01T12:00:05Z')];
    const request = { id: 'o-1', customerId: 'VINET', lines: [{ productId: 'chai', quantity: 2, unitPrice: Money.of(1_800) }] };

    given(() => Order.place(request, noon))
      .when((order) => order.confirm(later))
      .thenRaises(new OrderConfirmed('o-1', 'VINET', 2, { amount: 3_600, currency: 'USD' }));

    given(() => Order.place(request, noon), (order) => order.confirm(later))
      .when((order) => order.cancel(later))
      .thenRefuses(OrderNotCancellable);
  });

  it('runs a use case to its last effect', async () => {
    const app = await TestApplication.start([OrderingModule, InventoryModule, BillingModule]);
    await app.execute(new RegisterProduct('chai', 'Chai'));
    await app.execute(new ReceiveStock('chai', 10));
    const { result, events } = await app.execute(new PlaceOrder('VINET', [{ productId: 'chai', quantity: 2, unitPrice: 1_800 }]));
    expect(events.map((event) => event.type)).toContain('ordering.order-confirmed');
    expect(await app.queries.execute(new GetOrder(result.id))).toMatchObject({ status: 'confirmed' });
    await app.stop();
  });

  describe('with faults', () => {
    let app: TestApplication;

    beforeAll(async () => {
      app = await TestApplication.start([OrderingModule, InventoryModule, BillingModule]);
      await app.execute(new RegisterProduct('chai', 'Chai'));
      await app.execute(new ReceiveStock('chai', 10));
    });

    afterAll(() => app?.stop());

    const placeOrder = new PlaceOrder('VINET', [{ productId: 'chai', quantity: 1, unitPrice: 1_800 }]);

    it('lets a handler fail and recover', async () => {
      const faults = app.faults(ReserveStockWhenOrderPlaced).fail();
      const { result, events } = await app.execute(placeOrder);
      expect(events).toMatchObject([{ type: 'ordering.order-placed', handled: false }]);
      faults.heal();
      await app.clock.advance('5m');
      await app.settled();
      expect(await app.queries.execute(new GetOrder(result.id))).toMatchObject({ status: 'confirmed' });
      faults.remove();
    });

    it('repeats its events', async () => {
      const faults = app.faults(ReserveStockWhenOrderPlaced).duplicate();
      await app.execute(placeOrder);
      expect(faults.given).toHaveLength(1);
      expect(faults.injected.duplicates).toBeGreaterThan(0);
    });
  });
});
