import { describe, expect, it } from 'vitest';
import { expectAllRight, orderRequests, shapeOf } from './orders.js';

it('orders are the same in every run: four lines each, of products that differ', () => {
  const requests = orderRequests();
  expect(orderRequests()).toEqual(requests);
  for (const { body } of requests) expect(new Set((JSON.parse(body!) as { lines: { productId: string }[] }).lines.map(({ productId }) => productId)).size).toBe(4);
});

describe('answers', () => {
  it('that are all right pass', () => {
    expect(() => expectAllRight({ answers: 3, wrong: {} })).not.toThrow();
  });

  it('of another status, or none at all, are no result', () => {
    expect(() => expectAllRight({ answers: 9, wrong: { 429: 2, 'other side closed': 1 } })).toThrow('Of 9 requests these were not answered as they should be: 2 times "429", 1 times "other side closed".');
    expect(() => expectAllRight({ answers: 0, wrong: {} })).toThrow('Not one request was answered.');
  });
});

describe('the shape of what is stored', () => {
  const row = { id: 'a', reason: null, lines: [{ price: 1 }] };

  it('is the same whatever the values and the order of members', () => {
    expect(JSON.stringify(shapeOf({ lines: [{ price: 7 }, { price: 8 }], reason: null, id: 'b' }))).toBe(JSON.stringify(shapeOf(row)));
  });

  it.each([[{ ...row, id: 1 }], [{ ...row, reason: 'none' }], [{ ...row, lines: [{}] }], [{ ...row, more: true }]])('is another one for %j', (other) => {
    expect(shapeOf(other)).not.toEqual(shapeOf(row));
  });
});
