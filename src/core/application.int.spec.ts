import 'reflect-metadata';
import { createServer } from 'node:net';
import { HealthRegistry } from '@nestbox/ops';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Application, createApplication } from './application.js';
import { banner } from './banner.js';
import { developerSettings } from './developer.spec.js';
import { metrics } from './metrics.js';
import { explainStartFailure } from './start-failure.js';

async function inDatabase(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describe('a service of the topology', () => {
  let database: TestDatabase;
  let application: Application;
  let url: string;

  const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ ...developerSettings, LOG_LEVEL: 'silent', DATABASE_URL: database.url, ...more });

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await createApplication(environment({ ROUTE_ALIASES: 'GET /v1/product/:id -> /v1/products/:id since 2026-01-31' }));
    await application.app.listen(0, '127.0.0.1');
    url = await application.app.getUrl();
  });

  afterAll(async () => {
    await application?.app.close();
    await database?.drop();
  });

  it('is the whole application when nothing else is said', async () => {
    expect(application.topology).toMatchObject({ service: 'all', contexts: ['ordering', 'inventory', 'billing', 'reporting'] });
    const { info } = (await (await fetch(`${url}/health/ready`)).json()) as { info: object };
    expect(Object.keys(info)).toEqual(['process', 'database ordering', 'database inventory', 'database billing', 'database reporting', 'messaging']);
    expect((await fetch(`${url}/docs`)).status).toBe(200);
  });

  it('shows what its contexts say to each other, for people and for programs', async () => {
    const page = await fetch(`${url}/asyncapi`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const text = await page.text();
    const document = await fetch(`${url}/asyncapi.json`);
    expect(document.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { channels } = (await document.json()) as { channels: Record<string, { address: string | null }> };
    expect(Object.keys(channels)).toContain('ordering.order-placed');
    for (const [id, { address }] of Object.entries(channels)) expect(text.includes(`<section id="${id}"`), id).toBe(address !== null);
  });

  it('tells a person where it is, with a request that works on an empty system', async () => {
    const text = banner(application.topology, url, application.settings.admin, application.settings.identity);
    for (const [address] of text.matchAll(/http:\S+\/(docs|health\/ready)/g)) expect((await fetch(address)).status, address).toBe(200);
    const [, issuer, accept] = /TOKEN=\$\(curl -s -X POST (\S+) -H 'accept: (\S+)'\)$/m.exec(text)!;
    const token = await (await fetch(issuer!, { method: 'POST', headers: { accept: accept! } })).text();
    const [, target, authorization, type, body] = /curl -i (\S+) -H "authorization: (.*?)" -H 'content-type: (\S+)' -d '(.*)'$/m.exec(text)!;
    const answer = await fetch(target!, { method: 'POST', headers: { 'content-type': type!, authorization: authorization!.replace('$TOKEN', token) }, body: body! });
    expect(answer.status).toBe(201);
  });

  it('answers an error of a context as a problem with the id of the request', async () => {
    const answer = await fetch(`${url}/v1/products/nothing?x=1`, { headers: { 'x-request-id': 'look-1' } });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ status: 404, instance: '/v1/products/nothing', traceId: 'look-1' });
  });

  it('measures its events for Prometheus, every metric that is documented', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(Object.keys(metrics).filter((name) => !text.includes(`# TYPE ${name} gauge`))).toEqual([]);
    expect(text).toMatch(/^nestbox_collector_up\{collector="messaging"\} 1$/m);
    expect(text).toMatch(/^nestbox_events_unnumbered\{context="ordering"\} \d+$/m);
    expect(text).toMatch(/^nestbox_partitions\{context="billing",table="outbox"\} 3$/m);
    expect(text).toMatch(/^nestbox_reader_unread_events\{context="inventory",reader="inventory",source="ordering"\} \d+$/m);
  });

  it('keeps to the settings of its HTTP server', async () => {
    const env = environment({ SERVICE: 'gateway', NATS_URL: process.env['TEST_NATS_URL'], CORS_ORIGINS: 'https://shop.example.com, http://localhost:5173', RATE_LIMIT_PER_MINUTE: '1', TRUST_PROXY: 'loopback', HEADER_LIMIT_COUNT: '12' });
    const { app } = await createApplication(env);
    await app.listen(0, '127.0.0.1');
    const ask = async (headers: Record<string, string> = {}) => fetch(`${await app.getUrl()}/v1/nothing`, { headers });
    const first = await ask({ origin: 'http://localhost:5173', 'x-forwarded-for': '192.0.2.1' });
    expect([first.status, first.headers.get('access-control-allow-origin'), first.headers.get('ratelimit-policy')]).toEqual([404, 'http://localhost:5173', '"default";q=1;w=60']);
    expect([(await ask({ 'x-forwarded-for': '192.0.2.1' })).status, (await ask({ 'x-forwarded-for': '192.0.2.2' })).status]).toEqual([429, 404]);
    expect((await ask(Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`x-${index}`, 'x'])))).status).toBe(431);
    await app.close();
  });

  it('answers at old paths that the settings name, tells their callers, and counts them', async () => {
    const answer = await fetch(`${url}/v1/product/nothing`);
    expect([answer.status, answer.headers.get('deprecation')]).toEqual([404, `@${Date.UTC(2026, 0, 31) / 1_000}`]);
    expect(await answer.json()).toMatchObject({ code: 'inventory.product-not-found', title: 'Product not found', instance: '/v1/product/nothing' });
    await expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toMatch(/^nestbox_deprecated_requests\{method="GET",route="\/v1\/product\/:id"\} 1$/m);
  });

  it('stops being ready before it stops', async () => {
    application.app.get(HealthRegistry).leave();
    const answer = await fetch(`${url}/health/ready`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ detail: 'Not ready: process is stopping.' });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  describe('that cannot start says why in a line', () => {
    const failure = async (more: NodeJS.ProcessEnv) => {
      const env = environment({ SERVICE: 'ordering', ...more });
      const error = await createApplication(env).then(
        async ({ app }) => {
          await app.close();
          throw new Error('It started.');
        },
        (reason: unknown) => reason,
      );
      return explainStartFailure(error, env);
    };
    const at = (change: (address: URL) => void) => {
      const address = new URL(database.url);
      // A server that asks for passwords must get the right one.
      address.password ||= 'hunter2';
      change(address);
      return address.href;
    };

    it('when nothing listens where the database should be', async () => {
      const text = await failure({ ORDERING_DATABASE_URL: at((address) => (address.port = '1')) });
      expect(text).toMatch(/^The database cannot be reached \(.*ECONNREFUSED.*\)\. .*ORDERING_DATABASE_URL=postgres.*:\*\*\*@.*:1\//);
      expect(text).not.toMatch(/hunter2|\n/);
    });

    it('when the database does not exist', async () => {
      const text = await failure({ ORDERING_DATABASE_URL: at((address) => (address.pathname = '/nbtest_nowhere')) });
      expect(text).toMatch(/^The database does not exist .*Create it, or correct ORDERING_DATABASE_URL=postgres.*:\*\*\*@/);
      expect(text).not.toMatch(/hunter2|\n/);
    });

    it('when the user is refused', async () => {
      const text = await failure({ ORDERING_DATABASE_URL: at((address) => (address.username = 'nobody_at_all')) });
      expect(text).toMatch(/^The database refused the user or password .*Check ORDERING_DATABASE_URL=/);
      expect(text).not.toMatch(/hunter2|\n/);
    });

    it('when a migration fails', async () => {
      const other = await createTestDatabase();
      await inDatabase(other.url, 'create schema ordering; create view ordering.orders as select 1');
      const text = await failure({ ORDERING_DATABASE_URL: other.url });
      await other.drop();
      expect(text).toMatch(/^A migration failed \(relation "orders" already exists\) at "create table .*ORDERING_DATABASE_URL=/);
      expect(text).not.toContain('\n');
    });

    it('when settings are wrong, all of them', async () => {
      const text = await failure({ PORT: 'http', NATS_URL: 'http://me:hunter2@broker' });
      expect(text).toMatch(/PORT +"http" +must be a whole number from 0 to 65535\n +NATS_URL +\(hidden\) +must be a URL/);
      expect(text).not.toContain('hunter2');
    });

    it.each([
      [{ CORS_ORIGINS: 'shop.example.com' }, '"shop.example.com" is not an origin that may call the API.\n  What to do: write it as scheme, host and port'],
      [{ TRUST_PROXY: 'true' }, '"true" is not a proxy that can be trusted.\n  What to do: give an address'],
    ])('when a list has what does not belong there: %j', async (more, message) => expect(await failure(more)).toContain(message));

    it('when an old path leads nowhere, or cannot be read', async () => {
      expect(await failure({ SERVICE: 'all', ROUTE_ALIASES: '/v1/order' })).toMatch(/^The route alias "\/v1\/order" cannot be read\.\n {2}What to do: write <METHOD>/);
      const env = environment({ SERVICE: 'gateway', NATS_URL: process.env['TEST_NATS_URL'], ROUTE_ALIASES: 'GET /v1/order -> /v1/nothing since 2026-01-31' });
      const { app } = await createApplication(env);
      const error: unknown = await app.init().catch((reason: unknown) => reason);
      await app.close();
      expect(explainStartFailure(error, env)).toMatch(/^The route alias GET \/v1\/order leads to GET \/v1\/nothing, and there is no such route\./);
    });

    it('when the topology has no such service', async () => {
      expect(await failure({ SERVICE: 'shipping' })).toMatch(/^topology\.yaml: there is no service "shipping"\.\n {2}What to do: set SERVICE to one of: all,/);
    });

    it('when the port is in use', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as { port: number };
      const env = environment({ SERVICE: 'gateway', PORT: String(port), NATS_URL: process.env['TEST_NATS_URL'] });
      const { app } = await createApplication(env);
      const error: unknown = await app.listen(port, '127.0.0.1').catch((reason: unknown) => reason);
      await app.close();
      other.close();
      expect(explainStartFailure(error, env)).toBe(`Port ${port} is in use. Stop what listens there, or set PORT to another one.`);
    });
  });
});
