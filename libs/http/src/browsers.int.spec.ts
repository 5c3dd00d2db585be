import { UsageError } from '@nestbox/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './fixture.spec.js';
import { httpAdapter } from './http-adapter.js';

const SHOP = 'https://shop.example.com';

describe('browsers', () => {
  let server: TestServer;
  let closed: TestServer;

  beforeAll(async () => {
    server = await startServer({ corsOrigins: [SHOP, 'http://localhost:5173'], rateLimit: { perMinute: 100 } });
    closed = await startServer({});
  });

  afterAll(async () => {
    await server?.close();
    await closed?.close();
  });

  describe('are told to be careful', () => {
    it.each(['/notes', '/nowhere', '/docs'])('with every answer: %s', async (path) => {
      const { headers } = await closed.fetch(path);
      expect(headers.get('content-security-policy')).toBe("default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;connect-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toMatch(/^max-age=31536000$/);
      expect(headers.has('x-powered-by')).toBe(false);
    });

    it('and Swagger UI needs nothing that they refuse', async () => {
      const page = await (await closed.fetch('/docs')).text();
      const assets = [...page.matchAll(/(?:src|href)="(?!http:\/\/www\.w3\.org)([^"]+)"/g)].map((match) => match[1]!);
      expect(assets.filter((asset) => asset.endsWith('.js')).length).toBeGreaterThan(2);
      for (const asset of assets) {
        const url = new URL(asset, `http://127.0.0.1:${closed.port}/docs`);
        expect(url.port).toBe(String(closed.port));
        expect((await fetch(url)).status, asset).toBe(200);
      }
      // No script stands in the page, and no handler at an element: `script-src 'self'` would not run them.
      expect(page.match(/<script(?![^>]*\bsrc=)[^>]*>/g)).toBeNull();
      expect(page).not.toMatch(/<[^>]+\son\w+=|javascript:/i);
    });
  });

  describe('let pages of other origins', () => {
    const ask = (to: TestServer, origin: string, method = 'GET', headers: Record<string, string> = {}) => to.fetch('/notes', { method, headers: { origin, ...headers } });
    const preflight = (to: TestServer, origin: string) => ask(to, origin, 'OPTIONS', { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type,if-match' });

    it('that are named read answers, and the headers that clients need', async () => {
      const { headers } = await ask(server, SHOP);
      expect(headers.get('access-control-allow-origin')).toBe(SHOP);
      expect(headers.get('vary')).toMatch(/origin/i);
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      const exposed = headers.get('access-control-expose-headers')!.split(/, */);
      expect(exposed).toEqual(['ETag', 'Location', 'Link', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id', 'Idempotent-Replayed', 'traceparent']);
      for (const name of ['etag', 'ratelimit', 'x-request-id', 'traceparent']) expect(headers.get(name), name).toMatch(/./);
    });

    it('that are named send what they want to', async () => {
      const answer = await preflight(server, 'http://localhost:5173');
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(answer.headers.get('access-control-allow-headers')).toBe('content-type,if-match');
    });

    it('read why they were refused', async () => {
      const answer = await server.fetch('/nowhere', { headers: { origin: SHOP } });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([404, SHOP]);
    });

    it.each(['https://evil.example.com', 'http://shop.example.com', `${SHOP}.evil.com`, 'null'])('that are not named do nothing: %s', async (origin) => {
      expect((await ask(server, origin)).headers.has('access-control-allow-origin')).toBe(false);
      expect((await preflight(server, origin)).headers.has('access-control-allow-origin')).toBe(false);
    });

    it('do nothing when none is named', async () => {
      const answer = await preflight(closed, SHOP);
      expect([answer.status, [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))]).toEqual([405, []]);
    });
  });

  it.each(['shop.example.com', 'https://shop.example.com/', 'https://*.example.com/x', 'null', 'ftp://x'])('an origin that is none ends the start: %s', (origin) => {
    expect(() => httpAdapter({ bodyLimitBytes: 1, timeoutMs: 1, maxTimeoutMs: 1, tenantId: 't', corsOrigins: [origin] })).toThrow(UsageError);
  });
});
