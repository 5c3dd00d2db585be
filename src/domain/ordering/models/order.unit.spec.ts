import { Money } from '@nestbox/kernel';
import { given, when } from '@nestbox/testing';
import { describe, expect, it } from 'vitest';
import { InvalidOrderLine, OrderNotCancellable, OrderTooLarge, OrderWithoutLines } from './order.errors.js';
import { OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected } from './order.events.js';
import { Order, type OrderRequest } from './order.js';

const noon = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T12:00:05Z');
const usd = (amount: number) => Money.of(amount);
const line = (unitPrice: number, quantity: number, discountPercent?: number) => ({ productId: 'tofu', quantity, unitPrice: usd(unitPrice), discountPercent });

const place = (request: Partial<OrderRequest> = {}) =>
  Order.place({ id: 'o-1', customerId: 'VINET', lines: [line(1_400, 12), line(980, 10)], ...request }, noon);
const cancelled = new OrderCancelled('o-1', 'VINET');

describe('Order', () => {
  it('is placed with the exact total of its lines', () => {
    const lineJson = (unitPrice: number, quantity: number, discountPercent: number, total: number) => ({
      productId: 'tofu',
      quantity,
      unitPrice: { amount: unitPrice, currency: 'USD' },
      discountPercent,
      total: { amount: total, currency: 'USD' },
    });
    when(() => place({ lines: [line(1_400, 12), line(333, 1, 50)] })).thenRaises(
      new OrderPlaced('o-1', 'VINET', [lineJson(1_400, 12, 0, 16_800), lineJson(333, 1, 50, 167)], { amount: 16_967, currency: 'USD' }, '2026-03-01T12:00:00.000Z'),
    );
  });

  it('is confirmed once', () => {
    const order = given(place).when((placed) => placed.confirm(later)).thenRaises(new OrderConfirmed('o-1', 'VINET', 22, { amount: 26_600, currency: 'USD' }));
    when(() => order.confirm(later)).thenRaises();
    expect(order.history).toEqual([
      { status: 'placed', time: noon },
      { status: 'confirmed', time: later },
    ]);
    expect(order.version).toBe(2);
  });

  it('is rejected with a reason', () => {
    const order = given(place).when((placed) => placed.reject('out-of-stock', later)).thenRaises(new OrderRejected('o-1', 'out-of-stock'));
    expect([order.status, order.reason]).toEqual(['rejected', 'out-of-stock']);
  });

  it('is cancelled once, however often it is asked to', () => {
    given(place).when((order) => order.cancel(later)).thenRaises(cancelled);
    given(place, (order) => order.cancel(later)).when((order) => order.cancel(later)).thenRaises();
  });

  it.each([
    ['confirm', (order: Order) => order.confirm(later)],
    ['reject', (order: Order) => order.reject('payment-declined', later)],
  ])('stays cancelled when a late answer wants to %s it', (_, answer) => {
    expect(given(place, (order) => order.cancel(later)).when(answer).thenRaises().status).toBe('cancelled');
  });

  it('cannot be cancelled once it is decided', () => {
    given(place, (order) => order.confirm(later)).when((order) => order.cancel(later)).thenRefuses(OrderNotCancellable);
    given(place, (order) => order.reject('out-of-stock', later)).when((order) => order.cancel(later)).thenRefuses(/is rejected; only an order that still waits/);
  });

  it('refuses what is not an order', () => {
    when(() => place({ lines: [] })).thenRefuses(OrderWithoutLines);
    when(() => place({ lines: [line(100, 0)] })).thenRefuses(InvalidOrderLine);
    when(() => place({ lines: [line(100, 1.5)] })).thenRefuses(InvalidOrderLine);
    when(() => place({ lines: [line(-1, 1)] })).thenRefuses(InvalidOrderLine);
    when(() => place({ lines: [line(100, 1, 101)] })).thenRefuses(InvalidOrderLine);
  });

  it('takes totals up to the largest exact number and refuses the next one', () => {
    const largest = Number.MAX_SAFE_INTEGER;
    given(() => place({ lines: [line(largest, 2, 50)] }))
      .when((order) => order.confirm(later))
      .thenRaises(new OrderConfirmed('o-1', 'VINET', 2, { amount: largest, currency: 'USD' }));
    when(() => place({ lines: [line(largest, 2)] })).thenRefuses(OrderTooLarge);
    when(() => place({ lines: [line(largest, 1), line(1, 1)] })).thenRefuses(OrderTooLarge);
  });
});
