import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newSecrets } from '../test/e2e/harness.ts';
import { createNatsNamespace, type NatsNamespace } from '../test/e2e/nats-namespace.ts';
import { build } from './build.ts';
import { isRunning } from './test-support.ts';
import { startSplit, type Split } from './split.ts';

let database: TestDatabase;
let nats: NatsNamespace;
let split: Split | undefined;
const lines: string[] = [];
const secrets = newSecrets();
let authorization = '';

const environment = () => ({ ...database.env, ...secrets, NATS_URL: nats.url, NATS_NAMESPACE: nats.name, LOG_LEVEL: 'warn' });

beforeAll(async () => {
  expect(build()).toBe(true);
  database = await createTestDatabase();
  nats = createNatsNamespace();
  split = await startSplit({ env: environment(), log: (line) => lines.push(line) });
  const token = await fetch(`${split.gatewayUrl}/dev/token`, { method: 'POST', headers: { accept: 'text/plain' } });
  authorization = `Bearer ${await token.text()}`;
});

afterAll(async () => {
  await split?.stop();
  await nats.drop();
  await database.drop();
});

async function call(method: string, path: string, body?: object) {
  const init = { method, headers: { authorization, ...(body && { 'content-type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(`${split!.gatewayUrl}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function confirmedOrder(): Promise<void> {
  const placed = await call('POST', '/v1/orders', { customerId: 'QUICK', lines: [{ productId, quantity: 1, unitPrice: 1800 }] });
  expect(placed.status).toBe(201);
  const id = placed.body['id'] as string;
  await vi.waitFor(async () => expect((await call('GET', `/v1/orders/${id}`)).body['status']).toBe('confirmed'), { timeout: 20_000, interval: 50 });
}

const productId = `tea-${randomUUID().slice(0, 8)}`;

test('the services of docker-compose.yml confirm an order together', async () => {
  expect(split!.processes.map(({ service, instance }) => `${service} ${instance}`).toSorted()).toEqual([
    'billing 1',
    'gateway 1',
    'inventory 1',
    'inventory 2',
    'ordering 1',
    'reporting 1',
  ]);
  expect((await call('POST', '/v1/products', { id: productId, name: 'Tea' })).status).toBe(201);
  expect((await call('POST', `/v1/products/${productId}/receipts`, { quantity: 100 })).status).toBeLessThan(300);
  await confirmedOrder();
  expect(lines.some((line) => line.startsWith('inventory-2 | '))).toBe(true);
});

test('a process that is killed is started again, and the others go on', async () => {
  const victim = split!.processes.find(({ service }) => service === 'ordering')!;
  const { pid } = victim;
  victim.kill('SIGKILL');
  await vi.waitFor(() => expect(lines.some((line) => /ordering .*ended with code 137; it starts again/.test(line))).toBe(true), { timeout: 10_000 });
  await vi.waitFor(async () => expect(await victim.isReady()).toBe(true), { timeout: 20_000, interval: 50 });
  expect(victim.pid).not.toBe(pid);
  await confirmedOrder();
});

test('a port in use ends the start with the line that says so', async () => {
  const port = new URL(split!.gatewayUrl).port;
  await expect(startSplit({ env: { ...environment(), PORT: port }, log: () => {} })).rejects.toThrow(`Port ${port} is in use`);
});

test('stop leaves no process', async () => {
  const pids = split!.processes.map(({ pid }) => pid!);
  await split!.stop();
  split = undefined;
  expect(pids.filter(isRunning)).toEqual([]);
});
