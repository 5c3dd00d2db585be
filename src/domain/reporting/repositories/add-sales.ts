import type { Statement } from '@nestbox/persistence';
import type { CustomerSales } from './sales.schema.js';

const ADD = `
  insert into reporting.sales as known (tenant_id, customer_id, currency, orders, units, revenue)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
  on conflict (tenant_id, customer_id, currency) do update
  set orders = known.orders + excluded.orders, units = known.units + excluded.units, revenue = known.revenue + excluded.revenue`;

/**
 * One statement that adds sales to what is known already. A row may be touched only once in it, so sales of one
 * customer are added up first; and always in key order, so that batches at the same time cannot deadlock.
 * @param tenantIds whose each of the sales is
 */
export function addSales(sales: readonly CustomerSales[], tenantIds: readonly string[]): Statement[] {
  const sums = new Map<string, { -readonly [K in keyof CustomerSales]: CustomerSales[K] } & { readonly tenantId: string }>();
  for (const [index, sale] of sales.entries()) {
    const tenantId = tenantIds[index]!;
    // A tenant may be called anything that can be stored, which the character between the parts cannot.
    const key = [tenantId, sale.customerId, sale.currency].join('\0');
    const sum = sums.get(key);
    if (!sum) {
      sums.set(key, { ...sale, tenantId });
      continue;
    }
    sum.orders += sale.orders;
    sum.units += sale.units;
    sum.revenue += sale.revenue;
  }
  const rows = [...sums].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, sum]) => sum);
  const column = <K extends keyof CustomerSales | 'tenantId'>(name: K) => rows.map((row) => row[name]);
  return [{ text: ADD, values: [column('tenantId'), column('customerId'), column('currency'), column('orders'), column('units'), column('revenue')] }];
}
