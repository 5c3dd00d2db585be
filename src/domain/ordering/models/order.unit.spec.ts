import { Money } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { eventsOf } from '../../shared/events-of.spec.js';
import { InvalidOrderLine, OrderNotCancellable, OrderTooLarge, OrderWithoutLines } from './order.errors.js';
import { OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected } from './order.events.js';
import { Order, type OrderRequest } from './order.js';

const noon = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T12:00:05Z');
const usd = (amount: number) => Money.of(amount);
const line = (unitPrice: number, quantity: number, discountPercent?: number) => ({ productId: 'tofu', quantity, unitPrice: usd(unitPrice), discountPercent });

function place(request: Partial<OrderRequest> = {}): Order {
  let order!: Order;
  eventsOf(() => (order = Order.place({ id: 'o-1', customerId: 'VINET', lines: [line(1_400, 12), line(980, 10)], ...request }, noon)));
  return order;
}

describe('Order', () => {
  it('is placed with the exact total of its lines', () => {
    const events = eventsOf(() => Order.place({ id: 'o-1', customerId: 'VINET', lines: [line(1_400, 12), line(333, 1, 50)] }, noon));
    const lineJson = (unitPrice: number, quantity: number, discountPercent: number, total: number) => ({
      productId: 'tofu',
      quantity,
      unitPrice: { amount: unitPrice, currency: 'USD' },
      discountPercent,
      total: { amount: total, currency: 'USD' },
    });
    expect(events).toEqual([
      new OrderPlaced('o-1', 'VINET', [lineJson(1_400, 12, 0, 16_800), lineJson(333, 1, 50, 167)], { amount: 16_967, currency: 'USD' }, '2026-03-01T12:00:00.000Z'),
    ]);
  });

  it('is confirmed once', () => {
    const order = place();
    expect(eventsOf(() => order.confirm(later))).toEqual([new OrderConfirmed('o-1', 'VINET', 22, { amount: 26_600, currency: 'USD' })]);
    expect(eventsOf(() => order.confirm(later))).toEqual([]);
    expect(order.history).toEqual([
      { status: 'placed', time: noon },
      { status: 'confirmed', time: later },
    ]);
    expect(order.version).toBe(2);
  });

  it('is rejected with a reason', () => {
    const order = place();
    expect(eventsOf(() => order.reject('out-of-stock', later))).toEqual([new OrderRejected('o-1', 'out-of-stock')]);
    expect([order.status, order.reason]).toEqual(['rejected', 'out-of-stock']);
  });

  it('is cancelled once, however often it is asked to', () => {
    const order = place();
    expect(eventsOf(() => order.cancel(later))).toEqual([new OrderCancelled('o-1', 'VINET')]);
    expect(eventsOf(() => order.cancel(later))).toEqual([]);
  });

  it.each(['confirm', 'reject'] as const)('stays cancelled when a late answer wants to %s it', (answer) => {
    const order = place();
    eventsOf(() => order.cancel(later));
    expect(eventsOf(() => (answer === 'confirm' ? order.confirm(later) : order.reject('payment-declined', later)))).toEqual([]);
    expect(order.status).toBe('cancelled');
  });

  it('cannot be cancelled once it is decided', () => {
    const confirmed = place();
    const rejected = place();
    eventsOf(() => [confirmed.confirm(later), rejected.reject('out-of-stock', later)]);
    expect(() => confirmed.cancel(later)).toThrow(OrderNotCancellable);
    expect(() => rejected.cancel(later)).toThrow(/is rejected; only an order that still waits/);
  });

  it('refuses what is not an order', () => {
    expect(() => place({ lines: [] })).toThrow(OrderWithoutLines);
    expect(() => place({ lines: [line(100, 0)] })).toThrow(InvalidOrderLine);
    expect(() => place({ lines: [line(100, 1.5)] })).toThrow(InvalidOrderLine);
    expect(() => place({ lines: [line(-1, 1)] })).toThrow(InvalidOrderLine);
    expect(() => place({ lines: [line(100, 1, 101)] })).toThrow(InvalidOrderLine);
  });

  it('takes totals up to the largest exact number and refuses the next one', () => {
    const largest = Number.MAX_SAFE_INTEGER;
    expect(place({ lines: [line(largest, 2, 50)] }).total.amount).toBe(largest);
    expect(() => place({ lines: [line(largest, 2)] })).toThrow(OrderTooLarge);
    expect(() => place({ lines: [line(largest, 1), line(1, 1)] })).toThrow(OrderTooLarge);
  });
});
