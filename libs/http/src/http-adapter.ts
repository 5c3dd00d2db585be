import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { identifyCallers, refuseBadTokens, type TokenReader } from './authentication.js';
import { answerClientError, answerExpectation } from './client-errors.js';
import { type ConnectionLimits, defaultLimits, limitConnections, limitOptions } from './connection-limits.js';
import { allowOrigins } from './cors.js';
import { httpProblems } from './http-problems.js';
import { identify, identityHeaders, type MessageContextOptions, messageOf, openMessageContexts } from './message-context.js';
import { sendProblem } from './problem-reply.js';
import { HttpRefusal, problemOf, refusalOf } from './problem.js';
import { limitRates, type RateLimitOptions } from './rate-limit.js';
import { logRequests } from './request-log.js';
import { RouteTable } from './route-table.js';
import { sendSecurityHeaders } from './security-headers.js';
import { trustedProxies } from './trust-proxy.js';
import { answerVersion } from './versions.js';

export interface HttpAdapterOptions extends MessageContextOptions {
  /** Largest request body. */
  readonly bodyLimitBytes: number;
  /** What one client may take of the server, where it is not as in `defaultLimits`. */
  readonly limits?: Partial<ConnectionLimits>;
  /** Default: no limit. */
  readonly rateLimit?: RateLimitOptions;
  /** Know callers by their bearer tokens, one for each kind of token. Default: nobody is known, and tokens are not looked at. */
  readonly tokenReaders?: readonly TokenReader[];
  /** Origins whose pages may call the API. Default: none but its own. */
  readonly corsOrigins?: readonly string[];
  /** Addresses and subnets of proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustProxies?: readonly string[];
}

/**
 * The HTTP server of the application: Fastify, with a message context and a log line for every request. It takes JSON and nothing
 * else, cuts off who is too slow or too much, and while it closes it answers whoever got in. What it refuses before any code of
 * the application, it answers as a problem.
 * @throws UsageError when `corsOrigins` or `trustProxies` has what is none
 */
export function httpAdapter({ bodyLimitBytes, limits = {}, rateLimit, tokenReaders = [], corsOrigins = [], trustProxies = [], ...context }: HttpAdapterOptions): HttpAdapter {
  const allLimits = { ...defaultLimits, idleTimeoutMs: Math.max(defaultLimits.idleTimeoutMs, 2 * context.maxTimeoutMs), ...limits };
  const { http, ...serverLimits } = limitOptions(allLimits);
  const adapter = new HttpAdapter({
    ...serverLimits,
    // Node would refuse a request without one with an empty answer.
    http: { ...http, requireHostHeader: false },
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: trustedProxies(trustProxies),
    frameworkErrors: answerRouterError,
    clientErrorHandler: answerClientError,
  });
  const fastify = adapter.getInstance();
  fastify.server.on('checkExpectation', answerExpectation);
  // Before Nest adds its middleware, so that the context holds there too.
  openMessageContexts(fastify, context);
  fastify.addHook('onRequest', requireHost);
  fastify.addHook('onRequest', refuseEncodings);
  logRequests(fastify);
  limitConnections(fastify, allLimits);
  // Before the limit: a page may read why it was refused.
  sendSecurityHeaders(fastify);
  allowOrigins(fastify, corsOrigins);
  if (tokenReaders.length > 0) identifyCallers(fastify, tokenReaders);
  if (rateLimit) limitRates(fastify, rateLimit);
  if (tokenReaders.length > 0) refuseBadTokens(fastify);
  return adapter;
}

/** A malformed URL is refused by the router, before any hook, and never gets as far as Nest and its filters. */
function answerRouterError(error: FastifyError, { url, headers }: FastifyRequest, reply: FastifyReply): void {
  const identity = identify(headers);
  sendProblem(reply.headers(identityHeaders(identity)), problemOf(refusalOf(error) ?? error, { instance: url, traceId: identity.correlationId }));
}

/** Source: RFC 9112, section 3.2. */
function requireHost({ raw }: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  if (raw.httpVersion === '1.1' && raw.headers.host === undefined) done(new HttpRefusal(httpProblems.malformedMessage, 'A request of HTTP/1.1 has a header Host.'));
  else done();
}

/** A compressed body would be taken for what it is not, or not be understood. Source: RFC 9110, section 15.5.16. */
function refuseEncodings({ headers }: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  const encoding = headers['content-encoding'] ?? 'identity';
  if (!hasBody || encoding.toLowerCase() === 'identity') return done();
  void reply.header('accept-encoding', 'identity');
  done(new HttpRefusal(httpProblems.unsupportedMediaType, 'Bodies are read as they are: send this one without Content-Encoding.'));
}

/** Nest's adapter, which answers what it refuses itself as problems, and knows its routes. */
export class HttpAdapter extends FastifyAdapter {
  readonly routes = new RouteTable(this.getInstance());

  /** Nest would add a parser for forms, whose fields are all text; Fastify's own parser of JSON stays. */
  override registerParserMiddleware(): void {
    this.getInstance().removeContentTypeParser('text/plain');
  }

  /** Here and not in an interceptor, whose observables cost more than all that it would do. */
  override reply(response: Parameters<FastifyAdapter['reply']>[0], body: unknown, statusCode?: number): ReturnType<FastifyAdapter['reply']> {
    return super.reply(response, 'request' in response ? answerVersion(response, body) : body, statusCode);
  }

  /** Nest would keep the status of Fastify's errors, and forget what they are. */
  override setErrorHandler(handler: Parameters<FastifyAdapter['setErrorHandler']>[0]): ReturnType<FastifyAdapter['setErrorHandler']> {
    return super.setErrorHandler(function (error, request, reply) {
      return handler.call(this, refusalOf(error) ?? error, request, reply);
    });
  }

  /** Nest's own answer repeats the query, and knows of no other methods. */
  override setNotFoundHandler(): ReturnType<FastifyAdapter['setNotFoundHandler']> {
    return this.getInstance().setNotFoundHandler((request, reply) => {
      const { method, url, raw } = request;
      const allowed = this.routes.allowed(url);
      const traceId = messageOf(raw)?.correlationId;
      // A file of the documentation that is not there has a route, too.
      const elsewhere = allowed.length > 0 && !allowed.includes(method);
      const refusal = elsewhere
        ? new HttpRefusal(httpProblems.methodNotAllowed, `${method} is nothing that can be done here; possible are ${allowed.join(', ')}.`)
        : new HttpRefusal(httpProblems.notFound, 'Nothing is at this path. Check it; /docs has all of them.');
      if (elsewhere) void reply.header('allow', allowed.join(', '));
      sendProblem(reply, problemOf(refusal, { instance: url, ...(traceId && { traceId }) }));
    });
  }
}
