import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENTUALLY, expectProblem, unique, usd } from './api.ts';
import { runDemo } from './demo.ts';
import { ADMIN_TOKEN, RunningApp } from './harness.ts';

/** What the application promises about how long a caller waits, in ms; the server gives up a little before the client here. */
const DEADLINE = 8_000;

describe('the split application, when a part of it is gone', () => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await RunningApp.start('split', { REQUEST_TIMEOUT_MS: String(DEADLINE) });
  });
  afterAll(() => app?.stop());

  const only = (service: string) => {
    const running = app.processesOf(service).filter((process) => process.running);
    expect(running).toHaveLength(1);
    return running[0]!;
  };
  const setLimit = (customerId: string, amount: number) => app.api.call('PUT', `/v1/customers/${customerId}/credit-limit`, { amount });

  it('serves the API from a gateway that has no database, beside two inventory processes', async () => {
    const settings = Object.keys(only('gateway').env);
    expect(settings.filter((name) => name.endsWith('DATABASE_URL'))).toEqual([]);
    expect(app.url).toBe(only('gateway').url);
    expect(app.processesOf('inventory').filter((process) => process.running)).toHaveLength(2);
    // What the gateway serves comes from elsewhere: no other process has the API.
    for (const process of app.services.filter(({ name }) => name !== 'gateway')) {
      expect(Object.keys(process.env)).toContain('DATABASE_URL');
      expect((await fetch(`${process.url}/v1/reports/sales`)).status).toBe(404);
    }
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('answers 503 for billing after its %s, keeps the rest running, and recovers by itself', async (signal) => {
    const { api } = app;
    const [productId, customerId] = [await api.stock(10), unique('customer')];
    expect((await setLimit(customerId, 1_000)).status).toBe(200);
    await only('billing').kill(signal);

    const refused = await api.call('PUT', `/v1/customers/${customerId}/credit-limit`, { amount: 2_000 }, {});
    expectProblem(refused, 503, 'messaging.context-unavailable');
    expectProblem(await api.call('GET', `/v1/customers/${customerId}/account`), 503, 'messaging.context-unavailable');
    // The gateway can still serve, so it stays ready.
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    // Whoever looks after the system sees the rest, and what is missing.
    const seen = await api.call('GET', '/admin/readers', undefined, { authorization: `Bearer ${ADMIN_TOKEN}` });
    expect(seen.body).toMatchObject({ silent: [{ context: 'billing', reason: expect.stringContaining('cannot be reached') as string }] });
    const id = await api.place(customerId, [{ productId, quantity: 2, unitPrice: 500 }]);
    await expect.poll(() => api.product(productId), EVENTUALLY).toMatchObject({ reserved: 2 });
    expect(await api.order(id)).toMatchObject({ status: 'placed' });

    await app.startService('billing');
    expect(await api.settled(id)).toMatchObject({ status: 'confirmed' });
    // The limit that was refused was not set.
    expect(await api.account(customerId)).toMatchObject({ customerId, creditLimit: usd(1_000), charged: usd(1_000), available: usd(0) });
    expect((await setLimit(customerId, 2_000)).status).toBe(200);
  });

  it('answers 504 within the deadline when billing is there, but does not answer', async () => {
    const billing = only('billing');
    const customerId = unique('customer');
    billing.freeze(true);
    try {
      // The server's own deadline must end it: the client would wait much longer.
      expectProblem(await setLimit(customerId, 5), 504, 'messaging.context-timeout');
    } finally {
      billing.freeze(false);
    }
    await expect.poll(async () => (await setLimit(customerId, 7)).status, EVENTUALLY).toBe(200);
    expect(await app.api.account(customerId)).toMatchObject({ creditLimit: usd(7) });
  });

  it('takes each order once, and answers it, across the death of the service that takes them', { timeout: 120_000 }, async () => {
    const { api } = app;
    const [productId, customerId] = [await api.stock(1_000), unique('customer')];
    const keys = Array.from({ length: 40 }, () => randomUUID());
    const send = (key: string, quantity = 1) => api.call<{ id: string }>('POST', '/v1/orders', { customerId, lines: [{ productId, quantity, unitPrice: 100 }] }, { 'idempotency-key': key });
    const answered = await send(keys[0]!);
    expect(answered.status).toBe(201);

    const burst = keys.map((key) => send(key));
    await only('ordering').kill('SIGKILL');
    await Promise.all(burst);
    await app.startService('ordering');
    const answers = await Promise.all(
      keys.map(async (key) => {
        // One that was in progress is claimed until its time is over.
        await expect.poll(async () => (await send(key)).status, EVENTUALLY).toBe(201);
        return send(key);
      }),
    );
    expect(answers.map(({ headers }) => headers.get('idempotent-replayed'))).toEqual(keys.map(() => 'true'));
    expect([answers[0]!.body, answers[0]!.headers.get('location')]).toEqual([answered.body, answered.headers.get('location')]);
    const orders = await api.orders({ customerId });
    expect(orders.map(({ id }) => id).toSorted()).toEqual(answers.map(({ body }) => body.id).toSorted());
    expectProblem(await send(keys[0]!, 2), 422, 'messaging.idempotency-key-reused');
  });

  it('lets the demo say which orders wait while billing is gone, and finish its work afterwards', { timeout: 120_000 }, async () => {
    await only('billing').kill('SIGKILL');
    const first = await runDemo(['--url', app.url, '--patience', '5']);
    expect([first.code, first.result]).toEqual([1, undefined]);
    expect(first.stderr).toMatch(/830 orders have not settled, and none did for 5 s: (\d{5}, ){19}\d{5} and 810 more\./);
    await app.startService('billing');
    const second = await runDemo(['--url', app.url]);
    expect(second.stdout + second.stderr).toContain('All totals are right.');
    expect([second.code, second.result?.placed]).toEqual([0, 0]);
  });

  it('comes to the right totals when one of two inventory processes is killed while orders run', async () => {
    const { api } = app;
    const products = await Promise.all([api.stock(1_000), api.stock(1_000), api.stock(1_000)]);
    const customerId = unique('customer');
    const ids: string[] = [];
    const worker = async (first: number) => {
      for (let i = first; i < 200; i += 4) {
        const lines = [products[i % 3]!, products[(i + 1) % 3]!].map((productId) => ({ productId, quantity: 2, unitPrice: 100 }));
        ids.push(await api.place(customerId, lines, `PO-${i}`));
      }
    };
    const kill = async () => {
      await expect.poll(() => ids.length, EVENTUALLY).toBeGreaterThanOrEqual(60);
      await app.processesOf('inventory')[0]!.kill('SIGKILL');
      return ids.length;
    };
    const [placedAtKill] = await Promise.all([kill(), worker(0), worker(1), worker(2), worker(3)]);
    expect(placedAtKill).toBeLessThan(200);
    expect(app.processesOf('inventory').map((process) => process.running)).toEqual([false, true]);

    for (const id of ids) expect(await api.settled(id)).toMatchObject({ status: 'confirmed', total: usd(400) });
    await expect.poll(() => api.sales(customerId), EVENTUALLY).toEqual({ customerId, orders: 200, units: 800, revenue: usd(80_000) });
    expect((await api.account(customerId)).charged).toEqual(usd(80_000));
    const reserved = await Promise.all(products.map(async (id) => (await api.product(id)).reserved));
    expect(reserved.reduce((sum, pieces) => sum + pieces, 0)).toBe(800);
  });
});
