import { describe as suite, expect, it } from 'vitest';
import { Api } from './api.ts';
import { KNOWN_TOTALS, readNorthwind, totalsOf } from './northwind.ts';
import { keyOf, type ListedOrder } from './orders-list.ts';
import { describe, resultOf } from './report.ts';

const PLACED_AT = Date.parse('2026-01-01T00:00:00Z');
const run = { mode: 'in-process', api: new Api('http://localhost:1/', 1) };

/** Northwind as a system would list it, the n-th order confirmed n + 1 ms after its request. */
function listed(): ListedOrder[] {
  return readNorthwind().orders.map((order, index) => ({
    ...order,
    id: String(index),
    status: 'confirmed',
    total: { amount: totalsOf([order]).revenue },
    history: [{ status: 'placed', time: '' }, { status: 'confirmed', time: new Date(PLACED_AT + index + 1).toISOString() }],
  }));
}

const requestedAt = (orders: readonly ListedOrder[]) => new Map(orders.map((order) => [keyOf(order), PLACED_AT]));

suite('the result of a replay', () => {
  it('is right only when every total is, and measures from request to confirmation', () => {
    const orders = listed();
    const result = resultOf(run, { requestedAt: requestedAt(orders), orders, others: [] }, KNOWN_TOTALS);
    expect(result).toMatchObject({ ok: true, differences: [], placed: 830, alreadyThere: 0, seconds: 0.83, ordersPerSecond: 1_000 });
    expect(result.latencyMs).toEqual({ p50: 415, p95: 789, p99: 822, max: 830 });
    expect(result.slowest).toBe(orders.at(-1)!.reference);
    expect(describe(result)).toContain('All totals are right.');
  });

  it.each(['orders', 'units', 'revenue', 'quick'] as const)('is wrong when the report has one too many or too few: %s', (name) => {
    for (const off of [-1, 1]) {
      const totals = { ...KNOWN_TOTALS, [name]: KNOWN_TOTALS[name] + off };
      const orders = listed();
      const result = resultOf(run, { requestedAt: requestedAt(orders), orders, others: [] }, totals);
      expect([result.ok, result.differences.length]).toEqual([false, 1]);
      expect(describe(result)).toContain('The result is wrong:');
    }
  });

  it('is wrong when an order was not confirmed or is not there, even if the report is right', () => {
    const [first, second, ...others] = listed();
    const orders: ListedOrder[] = [{ ...second!, status: 'rejected', reason: 'out-of-stock' }, ...others];
    const { ok, differences } = resultOf(run, { requestedAt: requestedAt(orders), orders, others: [] }, KNOWN_TOTALS);
    expect(ok).toBe(false);
    expect(differences).toEqual(['1 orders are not in the list of orders.', `1 orders are rejected (out-of-stock): ${second!.reference}.`]);
    expect(first!.reference).toBe('10248');
  });

  it('has no times when nothing was left to place', () => {
    const result = resultOf(run, { requestedAt: new Map(), orders: listed(), others: [] }, KNOWN_TOTALS);
    expect(result).toMatchObject({ ok: true, placed: 0, alreadyThere: 830, seconds: null, latencyMs: null, slowest: null });
    expect(describe(result)).toContain('Nothing was left to place');
  });
});
