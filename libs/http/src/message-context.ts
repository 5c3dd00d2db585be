import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { continueTrace, type MessageContext, startTrace, type TraceContext, uuidv7, withMessage } from '@nestbox/kernel';
import { readIdempotencyKey, takesIdempotencyKey } from './idempotency-key.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Where a raw request keeps its message context: a WeakMap of all requests would keep the garbage collector busy. */
const CONTEXT = Symbol('message context');

interface Carrier {
  [CONTEXT]?: MessageContext;
}

export interface MessageContextOptions {
  /** How long a request may take, in ms; what it calls stops waiting then. */
  readonly timeoutMs: number;
  /** How long it may take at most when its caller asks for a time of its own, with `Prefer: wait=<seconds>`, in ms. */
  readonly maxTimeoutMs: number;
  /** Tenant of requests whose caller nobody knows, or whose token says nothing of one. */
  readonly tenantId: string;
}

/**
 * Opens the message context of every request: the caller's `X-Request-Id` if it is usable, else a new one, is the
 * correlation id of everything the request causes; it is a new span in the trace of the caller's `traceparent`, or the first
 * of a new one. Both are answered.
 */
export function openMessageContexts(fastify: FastifyInstance, { timeoutMs, maxTimeoutMs, tenantId }: MessageContextOptions): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const identity = identify(request.headers);
    const key = takesIdempotencyKey(request.method) ? readIdempotencyKey(request.headers['idempotency-key']) : undefined;
    const context: MessageContext = {
      ...identity,
      causationId: identity.correlationId,
      tenantId,
      deadline: Date.now() + waitOf(request.headers.prefer, timeoutMs, maxTimeoutMs),
      ...(typeof key === 'string' && { idempotencyKey: key }),
      onReplay: () => void reply.header('idempotent-replayed', 'true'),
    };
    (request.raw as Carrier)[CONTEXT] = context;
    reply.headers(identityHeaders(identity));
    withMessage(context, () => done(key instanceof Error ? key : undefined));
  });
  // Reading the body continues from the socket's events, outside of the context: it is entered again.
  fastify.addHook('preValidation', (request, _reply, done) => withMessage(messageOf(request.raw)!, done));
}

/** The time that a caller is willing to wait, in ms. Source: RFC 7240, section 4.3. */
function waitOf(prefer: string | string[] | undefined, timeoutMs: number, maxTimeoutMs: number): number {
  if (prefer === undefined) return timeoutMs;
  const seconds = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:[,;]|$)/i.exec(String(prefer))?.[1];
  return seconds === undefined ? timeoutMs : Math.min(Number(seconds) * 1_000, maxTimeoutMs);
}

/** The message context of a raw request; undefined when it was refused before it could have one. */
export function messageOf(request: object): MessageContext | undefined {
  return (request as Carrier)[CONTEXT];
}

/** Goes on with what has become known about a request. */
export function enrichMessage(request: object, more: Partial<MessageContext>, next: () => void): void {
  const context = { ...messageOf(request)!, ...more };
  (request as Carrier)[CONTEXT] = context;
  withMessage(context, next);
}

/** What a request is found by. */
export type RequestIdentity = Pick<MessageContext, 'correlationId'> & TraceContext;

/** What a request is found by, from the headers that it came with. */
export function identify(headers: IncomingHttpHeaders): RequestIdentity {
  const { traceparent, tracestate, 'x-request-id': given } = headers;
  const correlationId = typeof given === 'string' && REQUEST_ID.test(given) ? given : uuidv7();
  const trace = typeof traceparent === 'string' ? continueTrace({ traceparent, ...(typeof tracestate === 'string' && { tracestate }) }) : {};
  return { correlationId, ...(trace.traceparent === undefined ? startTrace() : trace) };
}

/** What the caller is told of it. */
export function identityHeaders({ correlationId, traceparent }: RequestIdentity): Record<string, string> {
  return { 'x-request-id': correlationId, ...(traceparent !== undefined && { traceparent }) };
}
