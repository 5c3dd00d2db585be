import { describe, expect, it } from 'vitest';
import { EVENTUALLY, expectProblem, unique, usd } from '../api.ts';
import type { RunningApp } from '../harness.ts';

const NOBODY = '019acf5e-7c00-7000-8000-000000000000';
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** What becomes of an order that nothing stands in the way of, and of one that is asked for twice. */
export function orders(app: () => RunningApp): void {
  describe('an order', () => {
    it('is confirmed, with its stock reserved, its total charged and its sale reported', async () => {
      const { api } = app();
      const [coffee, tea] = [await api.stock(100), await api.stock(50)];
      const customerId = unique('customer');
      const before = await api.sales();

      const lines = [
        { productId: coffee, quantity: 12, unitPrice: 1_400 },
        { productId: tea, quantity: 5, unitPrice: 980, discountPercent: 10 },
      ];
      const placed = await api.call<{ id: string; status: string }>('POST', '/v1/orders', { customerId, reference: 'PO-1', lines });
      expect(placed.status).toBe(201);
      expect(placed.body).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), status: 'placed' });
      expect(placed.headers.get('location')).toBe(`/v1/orders/${placed.body.id}`);

      const order = await api.settled(placed.body.id);
      expect(order).toEqual({
        id: placed.body.id,
        customerId,
        reference: 'PO-1',
        status: 'confirmed',
        lines: [
          { productId: coffee, quantity: 12, unitPrice: 1_400, discountPercent: 0, total: usd(16_800) },
          { productId: tea, quantity: 5, unitPrice: 980, discountPercent: 10, total: usd(4_410) },
        ],
        total: usd(21_210),
        version: 2,
        history: [
          { status: 'placed', time: expect.stringMatching(ISO_TIME) },
          { status: 'confirmed', time: expect.stringMatching(ISO_TIME) },
        ],
      });
      expect(Date.parse(order.history[1]!.time)).toBeGreaterThanOrEqual(Date.parse(order.history[0]!.time));
      expect(await api.get(placed.headers.get('location')!)).toEqual(order);

      expect(await api.product(coffee)).toMatchObject({ id: coffee, onHand: 100, reserved: 12, available: 88 });
      expect(await api.product(tea)).toMatchObject({ onHand: 50, reserved: 5, available: 45 });
      expect(await api.account(customerId)).toMatchObject({ customerId, creditLimit: null, charged: usd(21_210), available: null });
      await expect.poll(() => api.sales(customerId), EVENTUALLY).toEqual({ customerId, orders: 1, units: 17, revenue: usd(21_210) });
      const after = { orders: before.orders + 1, units: before.units + 17, revenue: usd(before.revenue.amount + 21_210) };
      expect(await api.sales()).toEqual(after);
    });

    it.each([
      // price, quantity, discount, total: half a cent goes up, less goes down
      [1, 1, 50, 1],
      [1, 1, 51, 0],
      [333, 5, 10, 1_499],
      [999, 3, 15, 2_547],
      [1_400, 2, 100, 0],
      // More digits on the way than a floating point number holds: it would come to a cent less.
      [200_000_000_000_150, 1, 1, 198_000_000_000_149],
    ])('of %i cents × %i less %i percent comes to %i cents', async (unitPrice, quantity, discountPercent, total) => {
      const { api } = app();
      const customerId = unique('rounding');
      const id = await api.place(customerId, [{ productId: await api.stock(quantity), quantity, unitPrice, discountPercent }]);
      expect(await api.settled(id)).toMatchObject({ status: 'confirmed', total: usd(total), lines: [{ total: usd(total) }] });
      expect((await api.account(customerId)).charged).toEqual(usd(total));
    });

    it('may have a hundred lines, each rounded for itself', async () => {
      const { api } = app();
      const productId = await api.stock(100);
      const id = await api.place(unique('customer'), Array.from({ length: 100 }, () => ({ productId, quantity: 1, unitPrice: 1, discountPercent: 50 })));
      expect(await api.settled(id)).toMatchObject({ status: 'confirmed', total: usd(100) });
      expect(await api.product(productId)).toMatchObject({ reserved: 100, available: 0 });
    });

    it('is not taken twice under one reference, by the same customer', async () => {
      const { api } = app();
      const [productId, customerId, reference] = [await api.stock(10), unique('customer'), 'PO-7'];
      const lines = [{ productId, quantity: 1, unitPrice: 500 }];
      const first = await api.place(customerId, lines, reference);
      const again = await api.call('POST', '/v1/orders', { customerId, reference, lines: [{ ...lines[0]!, quantity: 3 }] });
      expectProblem(again, 409, 'ordering.duplicate-reference');
      const other = await api.place(unique('customer'), lines, reference);
      await api.settled(first);
      await api.settled(other);
      expect((await api.orders({ customerId })).map((order) => order.id)).toEqual([first]);
      expect(await api.product(productId)).toMatchObject({ reserved: 2 });
    });

    it('is taken once when the same request comes many times at once', async () => {
      const { api } = app();
      const [productId, customerId] = [await api.stock(10), unique('customer')];
      const body = { customerId, reference: 'PO-8', lines: [{ productId, quantity: 1, unitPrice: 500 }] };
      const answers = await Promise.all(Array.from({ length: 8 }, () => api.call<{ id: string }>('POST', '/v1/orders', body)));
      const taken = answers.filter((answer) => answer.status === 201);
      expect(taken).toHaveLength(1);
      for (const answer of answers.filter((other) => other !== taken[0])) expectProblem(answer, 409, 'ordering.duplicate-reference');
      await api.settled(taken[0]!.body.id);
      expect(await api.product(productId)).toMatchObject({ reserved: 1 });
    });

    it('without a reference is taken every time', async () => {
      const { api } = app();
      const [productId, customerId] = [await api.stock(10), unique('customer')];
      const ids = [await api.place(customerId, [{ productId, quantity: 1, unitPrice: 1 }]), await api.place(customerId, [{ productId, quantity: 1, unitPrice: 1 }])];
      for (const id of ids) expect(await api.settled(id)).toMatchObject({ status: 'confirmed', reference: null });
      expect(await api.product(productId)).toMatchObject({ reserved: 2 });
    });

    it('that nobody has placed is not found', async () => {
      const { api } = app();
      expectProblem(await api.call('GET', `/v1/orders/${NOBODY}`), 404, 'ordering.order-not-found');
      expectProblem(await api.call('POST', `/v1/orders/${NOBODY}/cancel`), 404, 'ordering.order-not-found');
    });
  });
}
