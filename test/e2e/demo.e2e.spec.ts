import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { unique } from './api.ts';
import { type DemoRun, runDemo } from './demo.ts';
import { RunningApp } from './harness.ts';
import { createNatsNamespace, type NatsNamespace } from './nats-namespace.ts';

const NORTHWIND = { orders: 830, units: 51_317, revenue: 126_579_329, quick: 11_027_732 };

function expectRight({ code, stdout, stderr, result }: DemoRun, placed: number): void {
  expect(code, stdout + stderr).toBe(0);
  expect(result).toMatchObject({ ok: true, placed, alreadyThere: 830 - placed, totals: NORTHWIND, known: NORTHWIND, differences: [] });
}

describe('the demo', () => {
  let database: TestDatabase | undefined;
  let nats: NatsNamespace | undefined;
  let app: RunningApp | undefined;
  afterEach(async () => {
    await app?.stop();
    await nats?.drop();
    await database?.drop();
    app = nats = database = undefined;
  });

  it('comes to the known totals in one process, and a second run changes nothing', async () => {
    database = await createTestDatabase();
    const first = await runDemo(['--mode', 'in-process'], { ...database.env });
    expectRight(first, 830);
    expect(first.stderr).toContain('Placed 830/830');
    expect(first.stdout).toMatch(/time +[\d.]+ s, \d+ orders\/s/);
    expect(first.stdout).toMatch(/slowest \d+ ms \(order \d{5}\)/);
    expectRight(await runDemo(['--mode', 'in-process'], { ...database.env }), 0);
  });

  it('comes to the known totals with events through NATS', async () => {
    database = await createTestDatabase();
    nats = createNatsNamespace();
    expectRight(await runDemo(['--mode', 'nats'], { ...database.env, NATS_URL: nats.url, NATS_NAMESPACE: nats.name }), 830);
    expect(await nats.drop()).not.toEqual([]);
  });

  it('comes to the known totals with a process per context, one of which is killed half-way', async () => {
    database = await createTestDatabase();
    nats = createNatsNamespace();
    const settings = { ...database.env, NATS_URL: nats.url, NATS_NAMESPACE: nats.name };
    const run = await runDemo(['--mode', 'split', '--kill-inventory'], settings);
    expectRight(run, 830);
    expect(run.stderr).toMatch(/Half-way: killed inventory 1 \(pid \d+\)/);
    expect(await nats.drop()).not.toEqual([]);
  });

  it('fails and says why when the system at --url comes to something else', async () => {
    app = await RunningApp.start('in-process');
    const { api } = app;
    // Somebody else's order, which must not count.
    const foreign = await api.place('QUICK', [{ productId: await api.stock(9, unique('foreign')), quantity: 9, unitPrice: 999 }]);
    expect(await api.settled(foreign)).toMatchObject({ status: 'confirmed' });
    // One of Northwind's that was placed before there was any stock: 27 units for $440.
    const early = [
      { productId: '11', quantity: 12, unitPrice: 1_400 },
      { productId: '42', quantity: 10, unitPrice: 980 },
      { productId: '72', quantity: 5, unitPrice: 3_480 },
    ];
    expect(await api.settled(await api.place('VINET', early, '10248'))).toMatchObject({ status: 'rejected' });

    const { code, stdout, result } = await runDemo(['--url', app.url, '--patience', '5']);
    expect(code).toBe(1);
    expect(result).toMatchObject({
      ok: false,
      url: app.url,
      placed: 829,
      alreadyThere: 1,
      totals: { orders: 829, units: NORTHWIND.units - 27, revenue: NORTHWIND.revenue - 44_000, quick: NORTHWIND.quick },
    });
    expect(result!.differences).toHaveLength(4);
    expect(stdout).toContain('1 orders are rejected (out-of-stock): 10248.');
    expect(stdout).toContain('The sales report has 126,535,329 cents instead of 126,579,329.');
  });

  it('says in one line what is wrong with a system that does not answer', async () => {
    const { code, stderr, result } = await runDemo(['--url', 'http://127.0.0.1:1', '--patience', '1']);
    expect([code, result]).toEqual([1, undefined]);
    expect(stderr.trim()).toMatch(/^The replay failed: POST http:\/\/127\.0\.0\.1:1\/dev\/token got no answer: /);
    expect(stderr).not.toContain('    at ');
  });
});
