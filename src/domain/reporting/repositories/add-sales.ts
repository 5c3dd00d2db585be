import type { Statement } from '@nestbox/persistence';
import type { CustomerSales } from './sales.schema.js';

const ADD = `
  insert into reporting.sales as known (customer_id, currency, orders, units, revenue)
  select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
  on conflict (customer_id, currency) do update
  set orders = known.orders + excluded.orders, units = known.units + excluded.units, revenue = known.revenue + excluded.revenue`;

/**
 * One statement that adds sales to what is known already. A row may be touched only once in it, so sales of one
 * customer are added up first; and always in key order, so that batches at the same time cannot deadlock.
 */
export function addSales(sales: readonly CustomerSales[]): Statement[] {
  const sums = new Map<string, { -readonly [K in keyof CustomerSales]: CustomerSales[K] }>();
  for (const sale of sales) {
    const key = `${sale.customerId} ${sale.currency}`;
    const sum = sums.get(key);
    if (!sum) {
      sums.set(key, { ...sale });
      continue;
    }
    sum.orders += sale.orders;
    sum.units += sale.units;
    sum.revenue += sale.revenue;
  }
  const rows = [...sums].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, sum]) => sum);
  const column = <K extends keyof CustomerSales>(name: K) => rows.map((row) => row[name]);
  return [{ text: ADD, values: [column('customerId'), column('currency'), column('orders'), column('units'), column('revenue')] }];
}
