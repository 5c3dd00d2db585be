import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { build } from '../../scripts/build.ts';
import { bareEnvironment } from '../../scripts/children.ts';
import { projectRoot } from '../../scripts/project.ts';
import { Api } from './api.ts';
import { withTransaction } from './database.ts';
import { newSecrets } from './harness.ts';
import { ServiceProcess } from './service-process.ts';

const run = promisify(execFile);
const CONTEXTS = ['ordering', 'inventory', 'billing', 'reporting'] as const;

const databases = new Map<string, TestDatabase>();
let service: ServiceProcess | undefined;

beforeAll(async () => {
  expect(build()).toBe(true);
  for (const context of CONTEXTS) databases.set(context, await createTestDatabase());
});

afterAll(async () => {
  await service?.stop();
  for (const database of databases.values()) await database.drop();
});

it('runs with a database for every context, and keeps each context in its own', async () => {
  const urls = CONTEXTS.map((context) => [`${context.toUpperCase()}_DATABASE_URL`, databases.get(context)!.url]);
  service = await ServiceProcess.start('all', { SERVICE: 'all', LOG_LEVEL: 'warn', ...newSecrets(), ...Object.fromEntries(urls) });
  const api = new Api(service.url);
  const productId = await api.stock(5);
  const id = await api.place('customer', [{ productId, quantity: 2, unitPrice: 250 }]);
  await expect.poll(() => api.sales()).toEqual({ orders: 1, units: 2, revenue: { amount: 500, currency: 'USD' } });
  expect(await api.order(id)).toMatchObject({ status: 'confirmed' });
  const env = { ...bareEnvironment(), ...Object.fromEntries(urls) };
  const { stdout } = await run(process.execPath, ['dist/cli.js', 'trace', await correlationOf(id), '--json'], { cwd: projectRoot, env });
  expect(JSON.parse(stdout)).toMatchObject({ count: 4, silent: [], events: [{ context: 'ordering', handlings: [{ reader: 'inventory', state: 'handled' }] }] });
  for (const [context, { url }] of databases) expect(await schemasIn(url)).toEqual([context, 'nb'].sort());
});

/** The id under which everything about an order can be followed. */
async function correlationOf(orderId: string): Promise<string> {
  return withTransaction(databases.get('ordering')!.url, async (client) => {
    const { rows } = await client.query("select headers->>'correlationId' id from ordering.outbox where aggregate_id = $1 limit 1", [orderId]);
    return rows[0].id;
  });
}

async function schemasIn(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$|public$)' order by nspname");
  await client.end();
  return rows.map((row) => row.nspname);
}
