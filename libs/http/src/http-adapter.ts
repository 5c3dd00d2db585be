import { FastifyAdapter } from '@nestjs/platform-fastify';
import { uuidv7 } from '@nestbox/kernel';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { openMessageContexts } from './message-context.js';
import { problemOf } from './problem.js';
import { logRequests } from './request-log.js';

export interface HttpAdapterOptions {
  /** Largest request body. */
  readonly bodyLimitBytes: number;
  /** How long a request may take, in ms; what it calls stops waiting then. */
  readonly timeoutMs: number;
  /** Tenant of every request, as long as nothing says who the caller is. */
  readonly tenantId: string;
}

/**
 * The HTTP server of the application: Fastify, with a message context and a log line for every request. It takes JSON and nothing
 * else, and while it closes it answers whoever got in.
 */
export function httpAdapter({ bodyLimitBytes, timeoutMs, tenantId }: HttpAdapterOptions): FastifyAdapter {
  const adapter = new JsonAdapter({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: answerRouterError,
  });
  // Before Nest adds its middleware, so that the context holds there too.
  openMessageContexts(adapter.getInstance(), { timeoutMs, tenantId });
  logRequests(adapter.getInstance());
  return adapter;
}

/** A malformed URL is refused by the router, before any hook, and never gets as far as Nest and its filters. */
function answerRouterError(error: FastifyError, { url }: FastifyRequest, reply: FastifyReply): void {
  const traceId = uuidv7();
  const problem = problemOf(error, { instance: url, traceId });
  void reply.status(problem.status).header('x-request-id', traceId).header('content-type', 'application/problem+json').send(problem);
}

class JsonAdapter extends FastifyAdapter {
  /** Nest would add a parser for forms, whose fields are all text; Fastify's own parser of JSON stays. */
  override registerParserMiddleware(): void {
    this.getInstance().removeContentTypeParser('text/plain');
  }
}
