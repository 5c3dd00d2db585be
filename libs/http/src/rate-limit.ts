import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { addInOrder } from './authentication.js';
import { httpProblems } from './http-problems.js';
import { messageOf } from './message-context.js';
import { HttpRefusal } from './problem.js';
import { RequestCounter } from './request-counter.js';

export interface RateLimitOptions {
  /** Requests of one caller in a minute, in this process. 0: no limit. */
  readonly perMinute: number;
  /** Routes that are not counted, with those below. Default: health, metrics and the documentation. */
  readonly exempt?: readonly string[];
}

const EXEMPT = ['/health', '/metrics', '/docs', '/docs-json', '/docs-yaml'];
const WINDOW_SECONDS = 60;
/** Callers that are remembered; of more, those that have been silent for longest start anew. */
const MOST_CALLERS = 50_000;

/**
 * Refuses (429) what one caller asks for beyond its share of the current minute, and tells with every answer what is left.
 * Source of the headers: draft-ietf-httpapi-ratelimit-headers-10.
 */
export function limitRates(fastify: FastifyInstance, { perMinute, exempt = EXEMPT }: RateLimitOptions): void {
  if (perMinute === 0) return;
  const isExempt = (request: FastifyRequest) => {
    // The route, not what was asked for: how a path is written makes no difference.
    const { url } = request.routeOptions;
    return url !== undefined && exempt.some((route) => url === route || url.startsWith(`${route}/`));
  };
  const policy = `"default";q=${perMinute};w=${WINDOW_SECONDS}`;
  const counter = new RequestCounter(WINDOW_SECONDS, MOST_CALLERS);
  addInOrder(fastify, (request, reply, done) => {
    if (isExempt(request)) return done();
    const { count, seconds } = counter.count(keyOf(request), Date.now());
    void reply.header('ratelimit-policy', policy).header('ratelimit', `"default";r=${Math.max(0, perMinute - count)};t=${seconds}`);
    if (count <= perMinute) return done();
    void reply.header('retry-after', seconds);
    done(new HttpRefusal(httpProblems.rateLimited, `More than ${perMinute} requests in ${WINDOW_SECONDS} s. Go on in ${seconds} s, as Retry-After says.`));
  });
}

/** Who is known counts as one, wherever they call from, and is never taken for an address. One client may have a whole /64 of IPv6: that is one key. */
function keyOf({ ip, raw }: FastifyRequest): string {
  const { identity, tenantId } = messageOf(raw) ?? {};
  return identity ? `caller ${tenantId} ${identity.subject}` : `address ${normalizeIP(ip ?? '')}`;
}
