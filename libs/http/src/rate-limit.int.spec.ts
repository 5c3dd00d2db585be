import { UsageError } from '@nestbox/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './fixture.spec.js';
import type { HttpAdapterOptions } from './http-adapter.js';
import { trustedProxies } from './trust-proxy.js';

describe('a caller with more requests than its share', () => {
  let server: TestServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  const statuses = async (count: number, path: string, headers: Record<string, string> = {}) => {
    const all: number[] = [];
    for (let index = 0; index < count; index += 1) all.push((await server!.fetch(path, { headers })).status);
    return all;
  };
  const withLimit = async (perMinute: number, more: Partial<HttpAdapterOptions> = {}) => (server = await startServer({ rateLimit: { perMinute }, ...more }));

  it('is told what is left, then refused with the time to wait', async () => {
    await withLimit(2);
    for (const left of [1, 0]) {
      const { status, headers } = await server!.fetch('/notes');
      expect([status, headers.get('ratelimit-policy'), headers.has('retry-after')]).toEqual([200, '"default";q=2;w=60', false]);
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"default";r=${left};t=([1-9]|[1-5]\\d|60)$`));
    }
    const answer = await server!.fetch('/notes', { headers: { 'x-request-id': 'much-1' } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([429, expect.stringMatching(/^application\/problem\+json/)]);
    const wait = answer.headers.get('retry-after');
    expect(answer.headers.get('ratelimit')).toBe(`"default";r=0;t=${wait}`);
    expect(await answer.json()).toMatchObject({ status: 429, code: 'http.rate-limited', instance: '/notes', traceId: 'much-1', detail: expect.stringContaining(`Go on in ${wait} s`) });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('x-ratelimit') || name.startsWith('ratelimit-'))).toEqual(['ratelimit-policy']);
  });

  it('is refused for what there is not, too', async () => {
    await withLimit(2);
    expect(await statuses(3, '/nowhere')).toEqual([404, 404, 429]);
  });

  it('is still told that the service lives, and how to use it', async () => {
    await withLimit(1);
    expect(await statuses(2, '/notes')).toEqual([200, 429]);
    for (const path of ['/health/live', '/docs', '/docs/swagger-ui.css', '/docs-json']) {
      const { status, headers } = await server!.fetch(path);
      expect([path, status, headers.has('ratelimit')]).toEqual([path, 200, false]);
    }
    expect(await statuses(1, '/health/nowhere')).toEqual([429]);
  });

  it('is who the token says, wherever it calls from', async () => {
    server = await startServer({ rateLimit: { perMinute: 1 }, tokenReaders: [(subject) => (subject === 'forged' ? undefined : { identity: { subject, permissions: [] } })] });
    expect(await statuses(2, '/notes', { authorization: 'Bearer ann' })).toEqual([200, 429]);
    expect(await statuses(2, '/notes', { authorization: 'Bearer 127.0.0.1' })).toEqual([200, 429]);
    // Who guesses tokens is counted by their address.
    expect(await statuses(2, '/notes', { authorization: 'Bearer forged' })).toEqual([401, 429]);
    expect(await statuses(1, '/notes')).toEqual([429]);
  });

  it('cannot be somebody else by saying so', async () => {
    await withLimit(1);
    expect([await statuses(1, '/notes', { 'x-forwarded-for': '192.0.2.1' }), await statuses(1, '/notes', { 'x-forwarded-for': '192.0.2.2' })]).toEqual([[200], [429]]);
  });

  it('is the client behind a proxy that is trusted', async () => {
    await withLimit(1, { trustProxies: ['127.0.0.0/8'] });
    for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8:0:1::1']) expect(await statuses(2, '/notes', { 'x-forwarded-for': address })).toEqual([200, 429]);
    // Whatever the client put in front of what the proxy added is not believed.
    expect(await statuses(1, '/notes', { 'x-forwarded-for': '192.0.2.3, 192.0.2.1' })).toEqual([429]);
    // The same /64 is the same client.
    expect(await statuses(1, '/notes', { 'x-forwarded-for': '2001:db8:0:1:ffff::2' })).toEqual([429]);
  });

  it('is not refused when there is no limit', async () => {
    await withLimit(0);
    expect(await statuses(5, '/notes')).toEqual([200, 200, 200, 200, 200]);
    expect((await server!.fetch('/notes')).headers.has('ratelimit')).toBe(false);
  });
});

describe('the proxies that are trusted', () => {
  it.each(['loopback', 'uniquelocal', '10.0.0.1', '10.0.0.0/8', 'fd00::/8', '::1'])('can be %s', (proxy) => {
    expect(trustedProxies([proxy])).toEqual([proxy]);
  });

  it('are none when none is named', () => expect(trustedProxies([])).toBe(false));

  it.each(['true', '1', '*', 'all', '', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/8/8', 'proxy.example.com'])('cannot be %j', (proxy) => {
    expect(() => trustedProxies([proxy])).toThrow(UsageError);
  });
});
