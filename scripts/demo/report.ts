import type { Api } from './api.ts';
import { KNOWN_TOTALS, QUICK, type Totals } from './northwind.ts';
import { keyOf, type ListedOrder } from './orders-list.ts';
import { namesOf, pause, type Replayed } from './replay.ts';

/** What came out of a replay; with `--json` it is printed like this. */
export interface DemoResult {
  readonly ok: boolean;
  readonly mode: string;
  readonly url: string;
  readonly placed: number;
  readonly alreadyThere: number;
  /** Requests that were made again because there was no answer, or a 503. */
  readonly retries: number;
  /** From the first request for an order to the last confirmation; null when there was nothing to place. */
  readonly seconds: number | null;
  readonly ordersPerSecond: number | null;
  /** From the request to the confirmation of an order. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null;
  readonly slowest: string | null;
  readonly totals: Totals;
  readonly known: Totals;
  readonly differences: readonly string[];
}

interface Sales {
  readonly orders: number;
  readonly units: number;
  readonly revenue: { readonly amount: number };
}

/** What the sales report has of Northwind: everything, less what other orders in the system account for. */
export async function reportedTotals(api: Api, others: readonly ListedOrder[], patienceMs: number): Promise<Totals> {
  const confirmed = others.filter((order) => order.status === 'confirmed');
  let last = '';
  let lastChange = performance.now();
  for (;;) {
    const [all, quick] = [await api.get<Sales>('/v1/reports/sales'), await api.get<Sales>(`/v1/reports/sales/customers/${QUICK}`)];
    const totals = {
      orders: all.orders - confirmed.length,
      units: all.units - confirmed.flatMap((order) => order.lines).reduce((sum, line) => sum + line.quantity, 0),
      revenue: all.revenue.amount - revenueOf(confirmed),
      quick: quick.revenue.amount - revenueOf(confirmed.filter((order) => order.customerId === QUICK)),
    };
    // The report follows the orders a moment later. Once it has as many, it has all of them.
    if (totals.orders >= KNOWN_TOTALS.orders) return totals;
    if (JSON.stringify(totals) !== last) {
      last = JSON.stringify(totals);
      lastChange = performance.now();
    } else if (performance.now() - lastChange > patienceMs) return totals;
    await pause();
  }
}

/** Puts together what a replay came to. */
export function resultOf(run: { mode: string; api: Api }, { requestedAt, orders }: Replayed, totals: Totals): DemoResult {
  const times = orders.flatMap((order) => timesOf(order, requestedAt));
  const sorted = times.map(({ ms }) => ms).sort((a, b) => a - b);
  const slowest = times.find(({ ms }) => ms === sorted.at(-1));
  const seconds = times.length === 0 ? null : (Math.max(...times.map(({ confirmed }) => confirmed)) - Math.min(...times.map(({ requested }) => requested))) / 1000;
  const differences = differencesOf(orders, totals);
  return {
    ok: differences.length === 0,
    mode: run.mode,
    url: run.api.url,
    placed: requestedAt.size,
    alreadyThere: orders.length - requestedAt.size,
    retries: run.api.retries,
    seconds,
    ordersPerSecond: seconds === null ? null : Math.round(times.length / seconds),
    latencyMs: sorted.length === 0 ? null : { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99), max: sorted.at(-1)! },
    slowest: slowest?.reference ?? null,
    totals,
    known: KNOWN_TOTALS,
    differences,
  };
}

/** The report for people. */
export function describe(result: DemoResult): string {
  const { totals, known, latencyMs } = result;
  const speed =
    latencyMs === null
      ? ['Nothing was left to place: all orders were there already.']
      : [
          `time         ${result.seconds!.toFixed(2)} s, ${result.ordersPerSecond} orders/s${result.retries > 0 ? `, ${result.retries} requests made again` : ''}`,
          `to confirmed p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms, slowest ${latencyMs.max} ms (order ${result.slowest})`,
        ];
  const rows = (Object.keys(known) as (keyof Totals)[]).map(
    (name) => `${LABELS[name].padEnd(12)} ${text(totals[name]).padStart(11)}  ${totals[name] === known[name] ? '= known total' : `≠ known total ${text(known[name])}`}`,
  );
  const verdict = result.ok ? ['All totals are right.'] : ['The result is wrong:', ...result.differences.map((difference) => `  - ${difference}`)];
  return ['', `Northwind, ${result.mode}, ${result.placed} orders placed, ${result.alreadyThere} there already`, ...speed, ...rows, ...verdict, ''].join('\n');
}

const LABELS: Readonly<Record<keyof Totals, string>> = { orders: 'orders', units: 'units', revenue: 'cents', quick: 'cents, QUICK' };

function differencesOf(orders: readonly ListedOrder[], totals: Totals): string[] {
  const lost = KNOWN_TOTALS.orders - orders.length;
  const refused = orders.filter((order) => order.status !== 'confirmed');
  return [
    ...(lost > 0 ? [`${lost} orders are not in the list of orders.`] : []),
    ...(refused.length > 0 ? [`${refused.length} orders are ${[...new Set(refused.map(stateOf))].join(' or ')}: ${namesOf(refused)}.`] : []),
    ...(Object.keys(KNOWN_TOTALS) as (keyof Totals)[])
      .filter((name) => totals[name] !== KNOWN_TOTALS[name])
      .map((name) => `The sales report has ${text(totals[name])} ${LABELS[name]} instead of ${text(KNOWN_TOTALS[name])}.`),
  ];
}

function stateOf({ status, reason }: ListedOrder): string {
  return reason === undefined ? status : `${status} (${reason})`;
}

/** When the order was asked for here and when it says it was confirmed: with `--url`, two clocks. */
function timesOf(order: ListedOrder, requestedAt: ReadonlyMap<string, number>) {
  const requested = requestedAt.get(keyOf(order));
  const time = order.history.find((change) => change.status === 'confirmed')?.time;
  if (requested === undefined || time === undefined) return [];
  const confirmed = Date.parse(time);
  return [{ reference: order.reference, requested, confirmed, ms: confirmed - requested }];
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1]!;
}

function revenueOf(orders: readonly ListedOrder[]): number {
  return orders.reduce((sum, order) => sum + order.total.amount, 0);
}

function text(number: number): string {
  return number.toLocaleString('en-US');
}
