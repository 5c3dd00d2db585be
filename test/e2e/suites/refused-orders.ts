import { describe, expect, it } from 'vitest';
import { EVENTUALLY, expectProblem, unique, usd } from '../api.ts';
import { withTransaction } from '../database.ts';
import type { RunningApp } from '../harness.ts';

const NOTHING_SOLD = { orders: 0, units: 0, revenue: usd(0) };

/** What stands in the way of an order, and that it leaves nothing behind. */
export function refusedOrders(app: () => RunningApp): void {
  describe('stock', () => {
    it('is reserved for all lines of an order or for none', async () => {
      const { api } = app();
      const [plenty, scarce, customerId] = [await api.stock(100), await api.stock(3), unique('customer')];
      const id = await api.place(customerId, [
        { productId: plenty, quantity: 10, unitPrice: 100 },
        { productId: scarce, quantity: 4, unitPrice: 100 },
      ]);
      expect(await api.settled(id)).toMatchObject({ status: 'rejected', reason: 'out-of-stock', version: 2, history: [{ status: 'placed' }, { status: 'rejected' }] });
      expect(await api.product(plenty)).toMatchObject({ onHand: 100, reserved: 0, available: 100 });
      expect(await api.product(scarce)).toMatchObject({ onHand: 3, reserved: 0, available: 3 });
      expect((await api.account(customerId)).charged).toEqual(usd(0));
      expect(await api.sales(customerId)).toEqual({ customerId, ...NOTHING_SOLD });
    });

    it('of a product on two lines counts together, and a product that nobody knows has none', async () => {
      const { api } = app();
      const productId = await api.stock(3);
      const line = { productId, quantity: 2, unitPrice: 1 };
      expect(await api.settled(await api.place(unique('customer'), [line, line]))).toMatchObject({ status: 'rejected', reason: 'out-of-stock' });
      expect(await api.settled(await api.place(unique('customer'), [{ ...line, productId: unique('unknown') }]))).toMatchObject({ status: 'rejected', reason: 'out-of-stock' });
      expect(await api.product(productId)).toMatchObject({ reserved: 0 });
    });

    it('goes to as many orders as there are pieces, however many ask at the same time', async () => {
      const { api } = app();
      const productId = await api.stock(10);
      const ids = await Promise.all(Array.from({ length: 25 }, () => api.place(unique('customer'), [{ productId, quantity: 1, unitPrice: 1 }])));
      const settled = await Promise.all(ids.map((id) => api.settled(id)));
      expect(settled.filter((order) => order.status === 'confirmed')).toHaveLength(10);
      expect(settled.filter((order) => order.reason === 'out-of-stock')).toHaveLength(15);
      expect(await api.product(productId)).toMatchObject({ onHand: 10, reserved: 10, available: 0 });
    });

    it('is enough for the next order once more is received; deliveries at the same time all count', async () => {
      const { api } = app();
      const productId = await api.stock(0);
      expect(await api.settled(await api.place(unique('customer'), [{ productId, quantity: 20, unitPrice: 1 }]))).toMatchObject({ status: 'rejected' });
      const receipts = await Promise.all(Array.from({ length: 10 }, () => api.call('POST', `/v1/products/${productId}/receipts`, { quantity: 2 })));
      expect(receipts.map((receipt) => receipt.status)).toEqual(receipts.map(() => 200));
      expect(await api.product(productId)).toMatchObject({ onHand: 20, reserved: 0, available: 20 });
      expect(await api.settled(await api.place(unique('customer'), [{ productId, quantity: 20, unitPrice: 1 }]))).toMatchObject({ status: 'confirmed' });
    });
  });

  describe('credit', () => {
    it('that does not suffice declines the payment: the order is rejected and its stock given back', async () => {
      const { api } = app();
      const [productId, customerId] = [await api.stock(10), unique('customer')];
      const limit = await api.call('PUT', `/v1/customers/${customerId}/credit-limit`, { amount: 1_999 });
      expect([limit.status, limit.body]).toEqual([200, { customerId, creditLimit: usd(1_999), charged: usd(0), available: usd(1_999) }]);
      const id = await api.place(customerId, [{ productId, quantity: 2, unitPrice: 1_000 }]);
      expect(await api.settled(id)).toMatchObject({ status: 'rejected', reason: 'payment-declined' });
      await expect.poll(() => api.product(productId), EVENTUALLY).toMatchObject({ onHand: 10, reserved: 0, available: 10 });
      // It was reserved before: an order that was refused earlier would leave the product as it was registered.
      const { rows } = await withTransaction(app().database.url, (client) => client.query('select status from inventory.reservations where id = $1', [id]));
      expect(rows).toEqual([{ status: 'released' }]);
      expect(await api.account(customerId)).toMatchObject({ charged: usd(0), available: usd(1_999) });
      expect(await api.sales(customerId)).toEqual({ customerId, ...NOTHING_SOLD });
    });

    it('is used up to the cent, and no further until the limit is raised or lifted', async () => {
      const { api } = app();
      const [productId, customerId] = [await api.stock(100), unique('customer')];
      const buy = async (unitPrice: number) => (await api.settled(await api.place(customerId, [{ productId, quantity: 1, unitPrice }]))).status;
      const limit = (amount: number | null) => api.call('PUT', `/v1/customers/${customerId}/credit-limit`, { amount });
      await limit(3_000);
      expect([await buy(2_000), await buy(1_000), await buy(1)]).toEqual(['confirmed', 'confirmed', 'rejected']);
      expect(await api.account(customerId)).toMatchObject({ charged: usd(3_000), available: usd(0) });
      await limit(3_001);
      expect([await buy(2), await buy(1)]).toEqual(['rejected', 'confirmed']);
      await limit(null);
      expect(await buy(1_000_000)).toBe('confirmed');
      expect(await api.account(customerId)).toMatchObject({ customerId, creditLimit: null, charged: usd(1_003_001), available: null });
      await expect.poll(() => api.sales(customerId), EVENTUALLY).toEqual({ customerId, orders: 4, units: 4, revenue: usd(1_003_001) });
    });

    it('of a customer that nobody has heard of is unlimited and unused', async () => {
      const customerId = unique('customer');
      expect(await app().api.account(customerId)).toMatchObject({ customerId, creditLimit: null, charged: usd(0), available: null });
    });
  });

  describe('a cancellation', () => {
    it.each([
      ['before stock is reserved', 'inventory.products', 'id', 0],
      ['before the payment', 'billing.accounts', 'customer_id', 4],
    ])('%s is final: nothing stays reserved or charged', async (_when, table, key, reserved) => {
      const { api, database } = app();
      const [productId, customerId] = [await api.stock(10), unique('customer')];
      await api.call('PUT', `/v1/customers/${customerId}/credit-limit`, { amount: 1_000_000 });
      // As long as somebody else holds the row, the order cannot get any further.
      const id = await withTransaction(database.url, async (client) => {
        const { rowCount } = await client.query(`select 1 from ${table} where ${key} in ($1, $2) for update`, [productId, customerId]);
        expect(rowCount).toBe(1);
        const order = await api.place(customerId, [{ productId, quantity: 4, unitPrice: 250 }]);
        await expect.poll(() => api.product(productId), EVENTUALLY).toMatchObject({ reserved });
        const cancelled = await api.call('POST', `/v1/orders/${order}/cancel`);
        expect([cancelled.status, cancelled.body]).toEqual([200, { id: order, status: 'cancelled' }]);
        expect(await api.order(order)).toMatchObject({ status: 'cancelled', version: 2, history: [{ status: 'placed' }, { status: 'cancelled' }] });
        return order;
      });
      expect((await api.call('POST', `/v1/orders/${id}/cancel`)).status).toBe(200);
      // Zeros say nothing as long as the news is still on its way: both contexts must have dealt with the order.
      const query = `select (select status from inventory.reservations where id = $1) reservation, (select status from billing.charges where order_id = $1) charge`;
      const traces = () => withTransaction(database.url, async (client) => (await client.query(query, [id])).rows[0] as unknown);
      await expect.poll(traces, EVENTUALLY).toEqual({ reservation: 'released', charge: 'voided' });
      expect(await api.product(productId)).toMatchObject({ onHand: 10, reserved: 0, available: 10 });
      expect((await api.account(customerId)).charged).toEqual(usd(0));
      expect(await api.order(id)).toMatchObject({ status: 'cancelled', version: 2 });
      expect(await api.sales(customerId)).toMatchObject(NOTHING_SOLD);
    });

    it('after the confirmation or the rejection is refused', async () => {
      const { api } = app();
      const productId = await api.stock(1);
      const line = { productId, quantity: 1, unitPrice: 700 };
      const confirmed = await api.place(unique('customer'), [line]);
      expect(await api.settled(confirmed)).toMatchObject({ status: 'confirmed' });
      const rejected = await api.place(unique('customer'), [line]);
      expect(await api.settled(rejected)).toMatchObject({ status: 'rejected' });
      for (const id of [confirmed, rejected]) {
        const before = await api.order(id);
        expectProblem(await api.call('POST', `/v1/orders/${id}/cancel`), 409, 'ordering.order-not-cancellable');
        expect(await api.order(id)).toEqual(before);
      }
      expect(await api.product(productId)).toMatchObject({ reserved: 1 });
    });
  });
}
