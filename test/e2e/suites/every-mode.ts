import { afterAll, beforeAll, describe } from 'vitest';
import { type Mode, RunningApp } from '../harness.ts';
import { http } from './http.ts';
import { invalidRequests } from './invalid-requests.ts';
import { lists } from './lists.ts';
import { operations } from './operations.ts';
import { orders } from './orders.ts';
import { refusedOrders } from './refused-orders.ts';
import { salesReport } from './sales-report.ts';

/** What holds in every mode: one suite, which does not know the mode. */
export function describeApi(mode: Mode): void {
  describe(`the API, ${mode}`, () => {
    let running: RunningApp;
    const app = () => running;

    beforeAll(async () => {
      running = await RunningApp.start(mode);
    });
    afterAll(() => running?.stop());

    orders(app);
    refusedOrders(app);
    lists(app);
    invalidRequests(app);
    http(app);
    operations(app);
    // Last, because it looks back at what all the others have done.
    salesReport(app);
  });
}
