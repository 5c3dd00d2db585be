import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bareEnvironment } from '../../../scripts/children.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { type Api, EVENTUALLY, type Sales, unique, usd } from '../api.ts';
import { withTransaction } from '../database.ts';
import type { RunningApp } from '../harness.ts';

const run = promisify(execFile);

/** The sales report agrees with the orders: at the end of everything, and after a rebuild in full traffic. */
export function salesReport(app: () => RunningApp): void {
  describe('the sales report', () => {
    it('can be rebuilt from the first event while orders keep coming, and ends with the same totals', async () => {
      const { api, database, cliEnvironment } = app();
      const [productId, customerId, steady] = [await api.stock(10_000), unique('customer'), unique('customer')];
      await api.settled(await api.place(steady, [{ productId, quantity: 7, unitPrice: 300 }]));
      const sold = { customerId: steady, orders: 1, units: 7, revenue: usd(2_100) };
      await expect.poll(() => api.sales(steady), EVENTUALLY).toEqual(sold);
      // Only events can bring the right numbers back.
      await withTransaction(database.url, (client) => client.query('update reporting.sales set revenue = revenue + 1, units = units + 1'));
      expect(await api.sales(steady)).not.toEqual(sold);

      let rebuilt = false;
      let during = 0;
      const traffic = async () => {
        for (let after = 0; after < 10; after += rebuilt ? 1 : 0) {
          await api.place(customerId, [{ productId, quantity: 2, unitPrice: 150 }]);
          if (!rebuilt) during += 1;
        }
      };
      const rebuild = async () => {
        const environment = { ...bareEnvironment(), ...cliEnvironment };
        const { stdout } = await run(process.execPath, ['dist/cli.js', 'projection', 'rebuild', 'sales-report'], { cwd: projectRoot, env: environment });
        rebuilt = true;
        return stdout;
      };
      const [stdout] = await Promise.all([rebuild(), traffic(), traffic()]);
      expect(stdout).toContain('sales-report');
      expect(during).toBeGreaterThan(0);

      await expect.poll(() => api.sales(steady), EVENTUALLY).toEqual(sold);
      const orders = during + 20;
      await expect.poll(() => api.sales(customerId), EVENTUALLY).toEqual({ customerId, orders, units: 2 * orders, revenue: usd(300 * orders) });
    });

    it('is the sum of all confirmed orders, for each customer and overall', async () => {
      const { api } = app();
      await expect.poll(() => api.orders({ status: 'placed' }), EVENTUALLY).toEqual([]);
      const orders = await api.orders({ status: 'confirmed' });
      expect(orders.length).toBeGreaterThan(20);
      await expect.poll(() => api.sales(), EVENTUALLY).toEqual(sumOf(orders));
      for (const [customerId, own] of Map.groupBy(orders, (order) => order.customerId)) {
        expect(await api.sales(customerId)).toEqual({ customerId, ...sumOf(own) });
      }
    });
  });
}

function sumOf(orders: Awaited<ReturnType<Api['orders']>>): Sales {
  return {
    orders: orders.length,
    units: orders.flatMap((order) => order.lines).reduce((sum, line) => sum + line.quantity, 0),
    revenue: usd(orders.reduce((sum, order) => sum + order.total.amount, 0)),
  };
}
