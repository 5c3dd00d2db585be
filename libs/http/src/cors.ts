import cors from '@fastify/cors';
import { UsageError } from '@nestbox/kernel';
import type { FastifyInstance } from 'fastify';

/** What scripts of other origins may read of an answer, besides the few headers that every one may. */
const EXPOSED_HEADERS = ['ETag', 'Location', 'Link', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id', 'Idempotent-Replayed', 'traceparent'];
/** How long a browser may remember what it was allowed, in seconds. */
const MAX_AGE = 600;

/**
 * Lets pages of these origins call the API; `*` is every one. Cookies are not sent along: callers say with a token who they are.
 * @throws UsageError for what is no origin
 */
export function allowOrigins(fastify: FastifyInstance, origins: readonly string[]): void {
  for (const origin of origins) {
    if (origin !== '*' && !isOrigin(origin)) throw new UsageError(`"${origin}" is not an origin that may call the API.`, 'write it as scheme, host and port, without a path: https://shop.example.com.');
  }
  if (origins.length === 0) return;
  void fastify.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE,
    // Its refusal would be plain text.
    strictPreflight: false,
  });
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}
