import 'reflect-metadata';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { currentMessage, uuidv7 } from '@nestbox/kernel';
import { NatsConnection, RequestSeal, Subjects } from '@nestbox/messaging';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { SignJWT } from 'jose';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Application, createApplication } from './application.js';
import { callerHeaders, developerSettings } from './developer.spec.js';
import { ScriptedOwner } from './scripted-owner.spec.js';
import { explainStartFailure } from './start-failure.js';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const issuer = { JWT_ISSUER: 'https://issuer.example.com/', JWT_AUDIENCE: 'shop', JWT_ALGORITHMS: 'ES256', JWT_PUBLIC_KEY: pem.replaceAll('\n', '\\n') };

const tokenOf = (claims: object) =>
  new SignJWT({ iss: issuer.JWT_ISSUER, aud: issuer.JWT_AUDIENCE, sub: 'ada', ...claims }).setProtectedHeader({ alg: 'ES256' }).setExpirationTime('1 minute').sign(privateKey);

describe('callers of the application', () => {
  let database: TestDatabase;
  const started: Application[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const { app } of started.splice(0)) await app.close();
  });
  afterAll(() => database?.drop());

  async function start(env: NodeJS.ProcessEnv) {
    const application = await createApplication({ DATABASE_URL: database.url, LOG_LEVEL: 'silent', ...env });
    started.push(application);
    await application.app.init();
    return application.app;
  }

  it('are who the issuer says, for the tenant that it says', async () => {
    const app = await start(issuer);
    const headers = { authorization: `Bearer ${await tokenOf({ tenant: 'acme', scope: 'ordering:read', permissions: ['ordering:write', 'ordering:read'] })}` };
    const order = { customerId: 'VINET', lines: [{ productId: 'chai', quantity: 1, unitPrice: 100 }] };
    const placed = await app.inject({ method: 'post', url: '/v1/orders', headers, payload: order });
    expect(placed.statusCode).toBe(201);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('select tenant_id from ordering.outbox where aggregate_id = $1', [placed.json<{ id: string }>().id]);
    await client.end();
    expect(rows).toEqual([{ tenant_id: 'acme' }]);
    expect((await app.inject({ url: '/v1/reports/sales', headers })).json()).toMatchObject({ status: 403, details: { permission: 'reporting:read' } });
    expect((await app.inject({ url: '/v1/orders', headers: { authorization: `Bearer ${await tokenOf({ permissions: ['ordering:read'] })}` } })).json()).toMatchObject({ status: 401, detail: expect.stringMatching(/claim "tenant"/) });
    expect((await app.inject({ url: '/v1/orders', headers: await callerHeaders(await start(developerSettings)) })).json()).toMatchObject({ status: 401, code: 'http.invalid-token' });
    expect((await app.inject({ method: 'post', url: '/dev/token' })).statusCode).toBe(404);
  });

  it('of one tenant cannot tell what another one has from what nobody has', async () => {
    const app = await start(developerSettings);
    const [owner, stranger] = [await callerHeaders(app, { tenant: 'acme' }), await callerHeaders(app, { tenant: 'globex' })];
    const order = { customerId: 'VINET', lines: [{ productId: 'chai', quantity: 1, unitPrice: 100 }] };
    const { id } = (await app.inject({ method: 'post', url: '/v1/orders', headers: owner, payload: order })).json<{ id: string }>();
    expect((await app.inject({ url: `/v1/orders/${id}`, headers: owner })).statusCode).toBe(200);
    const nobodys = uuidv7();
    for (const [method, path] of [['get', ''], ['post', '/cancel']] as const) {
      const answers = [id, nobodys].map(async (asked) => {
        const { statusCode, body } = await app.inject({ method, url: `/v1/orders/${asked}${path}`, headers: { ...stranger, 'x-request-id': 'the-same' } });
        return [statusCode, body.replaceAll(asked, 'ID')];
      });
      const [ofOwner, ofNobody] = await Promise.all(answers);
      expect(ofOwner).toEqual(ofNobody);
      expect(ofOwner![0]).toBe(404);
    }
    expect((await app.inject({ url: '/v1/orders', headers: stranger })).json()).toMatchObject({ items: [] });
  });

  it('may look at the catalogue without saying who they are', async () => {
    const app = await start(issuer);
    expect((await app.inject('/v1/products')).statusCode).toBe(200);
    expect((await app.inject('/v1/orders')).json()).toMatchObject({ status: 401, code: 'messaging.not-authenticated' });
  });

  it('are known in production by the settings that the documentation shows', async () => {
    const [, shown] = /```ini\n(.*?)```/s.exec(readFileSync(new URL('../../docs/how-to/identify-callers.md', import.meta.url), 'utf8'))!;
    const app = await start(Object.fromEntries(shown!.trim().split('\n').map((line) => line.split('='))));
    expect((await app.inject('/v1/orders')).json()).toMatchObject({ status: 401 });
    expect((await app.inject({ method: 'post', url: '/dev/token' })).statusCode).toBe(404);
  });

  it('may have their permissions in a claim of another name, and no tenant where there is one', async () => {
    const app = await start({ ...issuer, JWT_PERMISSIONS_CLAIM: 'scope', JWT_TENANT_CLAIM: '-' });
    expect((await app.inject({ url: '/v1/orders', headers: { authorization: `Bearer ${await tokenOf({ scope: 'ordering:read openid' })}` } })).statusCode).toBe(200);
  });

  it('get tokens for development with what they ask for, and with words when that is not possible', async () => {
    const app = await start(developerSettings);
    const answer = await app.inject({ method: 'post', url: '/dev/token' });
    expect([answer.statusCode, answer.headers['cache-control'], answer.json()]).toEqual([200, 'no-store', { access_token: expect.any(String), token_type: 'Bearer', expires_in: 43_200 }]);
    for (const payload of [{ tenant: 'no tenant' }, { subject: '' }, { permissions: 'ordering:read' }, { permissions: ['*'] }, { admin: true }]) {
      expect((await app.inject({ method: 'post', url: '/dev/token', payload })).json()).toMatchObject({ status: 400, code: 'http.invalid-request' });
    }
    expect((await app.inject({ url: '/v1/orders', headers: await callerHeaders(app, { permissions: ['ordering:read'] }) })).statusCode).toBe(200);
  });

  it.each([
    [{}, /Nobody could use the API: JWT_ISSUER, JWT_AUDIENCE, JWT_JWKS_URL or JWT_PUBLIC_KEY are not set[\s\S]*DEV_ISSUER=true/],
    [{ ...issuer, JWT_AUDIENCE: '' }, /JWT_AUDIENCE is not set/],
    [{ ...issuer, JWT_JWKS_URL: 'https://issuer.example.com/jwks' }, /Both JWT_JWKS_URL and JWT_PUBLIC_KEY are set/],
    [{ ...issuer, JWT_ALGORITHMS: 'HS256' }, /JWT_ALGORITHMS has "HS256"[\s\S]*RS256, ES256, EdDSA/],
    [{ ...issuer, JWT_ALGORITHMS: 'ES256,RS256' }, /one public key for the algorithms ES256, RS256/],
    [{ ...issuer, JWT_PUBLIC_KEY: 'nonsense' }, /public key for ES256 cannot be read/],
    [{ ...issuer, DEV_ISSUER: 'true' }, /Both DEV_ISSUER and JWT_ISSUER are set/],
    [{ ...developerSettings, NODE_ENV: 'production' }, /DEV_ISSUER gives a token to whoever asks, and NODE_ENV is production/],
    [{ ...developerSettings, SERVICE_KEY: 'short' }, /SERVICE_KEY +\(hidden\) +must be text of 32 characters or more/],
  ])('stop the start that would let in nobody, or anybody: %#', async (env, message) => {
    const error = await start(env).then(() => expect.unreachable('it should not have started'), (thrown: unknown) => thrown);
    expect(explainStartFailure(error, env)).toMatch(message as RegExp);
  });

  it('reach the process that owns the context as themselves', async () => {
    const owner = await ScriptedOwner.start();
    let seen: unknown;
    const look = async () => {
      const { identity, tenantId } = currentMessage()!;
      seen = { identity, tenantId };
      return {};
    };
    try {
      const headers = await callerHeaders(owner.gateway, { subject: 'ada', tenant: 'acme', permissions: ['ordering:read'] });
      await owner.answering(look, async () => owner.gateway.inject({ url: `/v1/orders/${uuidv7()}`, headers }), { seal: new RequestSeal(developerSettings.SERVICE_KEY) });
      expect(seen).toEqual({ identity: { subject: 'ada', permissions: ['ordering:read'] }, tenantId: 'acme' });
    } finally {
      await owner.stop();
    }
  });

  it('cannot come in over NATS without the signature of a service, nor without a permission', async () => {
    const NATS_NAMESPACE = `nbtest_${randomBytes(5).toString('hex')}`;
    const env = { ...developerSettings, SERVICE: 'gateway', NATS_URL: process.env['TEST_NATS_URL'], NATS_NAMESPACE };
    await expect(start({ ...env, SERVICE: 'reporting', SERVICE_KEY: '' })).rejects.toThrow(/There is no SERVICE_KEY[\s\S]*openssl rand/);
    await start({ ...env, SERVICE: 'reporting' });
    const gateway = await start(env);
    const connection = new NatsConnection({ url: env.NATS_URL! });
    await connection.start();
    try {
      const asked = await connection.client.request(new Subjects(NATS_NAMESPACE).request('query', 'reporting.get-sales-report'), JSON.stringify({ data: {} }), { timeout: 5_000 });
      expect(asked.json()).toMatchObject({ err: { kind: 'unauthenticated', code: 'messaging.untrusted-request' } });
      const through = async (claims?: object) => (await gateway.inject({ url: '/v1/reports/sales', headers: claims ? await callerHeaders(gateway, claims) : {} })).json();
      expect(await through()).toMatchObject({ status: 401, code: 'messaging.not-authenticated' });
      expect(await through({ permissions: ['ordering:read'] })).toMatchObject({ status: 403, code: 'messaging.permission-missing' });
      expect(await through({ permissions: ['reporting:read'] })).toMatchObject({ orders: expect.any(Number) });
    } finally {
      for (const { app } of started.splice(0)) await app.close();
      const { streams } = connection.jsm;
      for await (const { config } of streams.list()) if (config.name.startsWith(NATS_NAMESPACE.toUpperCase())) await streams.delete(config.name);
      await connection.close();
    }
  });
});
