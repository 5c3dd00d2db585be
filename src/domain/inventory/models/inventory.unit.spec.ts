import { given, when } from '@nestbox/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { StockBelowZero } from './product.errors.js';
import { Product } from './product.js';
import { Reservation } from './reservation.js';
import { StockRejected, StockReleased, StockReserved } from './reservation.events.js';

const total = { amount: 1_000, currency: 'USD' };

describe('Reservation', () => {
  let products: Map<string, Product>;

  beforeEach(() => {
    products = new Map(['tea', 'tofu'].map((id) => [id, Product.register(id, id)]));
    for (const product of products.values()) product.receive(10);
  });

  const request = (...lines: [productId: string, quantity: number][]) =>
    Reservation.request({ orderId: 'o-1', customerId: 'VINET', total, lines: lines.map(([productId, quantity]) => ({ productId, quantity })) }, products);
  const reserved = () => [...products.values()].map((product) => product.reserved);

  it('holds all lines', () => {
    when(() => request(['tea', 10], ['tofu', 3])).thenRaises(new StockReserved('o-1', 'VINET', total));
    expect(reserved()).toEqual([10, 3]);
  });

  it('holds nothing when one line is short', () => {
    when(() => request(['tea', 3], ['tofu', 11])).thenRaises(new StockRejected('o-1', [{ productId: 'tofu', wanted: 11, available: 10 }]));
    expect(reserved()).toEqual([0, 0]);
  });

  it('adds up the lines of one product before it looks', () => {
    when(() => request(['tea', 6], ['tofu', 1], ['tea', 5])).thenRaises(new StockRejected('o-1', [{ productId: 'tea', wanted: 11, available: 10 }]));
    when(() => request(['tea', 6], ['tea', 4])).thenRaises(new StockReserved('o-1', 'VINET', total));
    expect(reserved()).toEqual([10, 0]);
  });

  it('counts an unknown product as out of stock', () => {
    when(() => request(['gold', 1])).thenRaises(new StockRejected('o-1', [{ productId: 'gold', wanted: 1, available: 0 }]));
  });

  it('gives back exactly what it held, once', () => {
    const released = given(() => request(['tea', 6], ['tofu', 2])).when((reservation) => reservation.release(products)).thenRaises(new StockReleased('o-1'));
    when(() => released.release(products)).thenRaises();
    expect(reserved()).toEqual([0, 0]);
  });

  it('has nothing to give back when it was rejected or called off', () => {
    const rejected = given(() => request(['tofu', 11])).when((reservation) => reservation.release(products)).thenRaises();
    expect(rejected.status).toBe('rejected');
    given(() => Reservation.calledOff('o-2')).when((reservation) => reservation.release(products)).thenRaises();
  });
});

describe('Product', () => {
  it('knows what is available', () => {
    const tea = Product.register('tea', 'Chai');
    tea.receive(10);
    tea.reserve(4);
    expect([tea.onHand, tea.reserved, tea.available]).toEqual([10, 4, 6]);
    tea.release(1);
    expect(tea.available).toBe(7);
  });

  it('never promises more than there is, and takes back no more than it promised', () => {
    const tea = Product.register('tea', 'Chai');
    tea.receive(10);
    tea.reserve(4);
    expect(() => tea.reserve(7)).toThrow(StockBelowZero);
    expect(() => tea.release(5)).toThrow('The reserved stock of product "tea" would be -1.');
  });
});
