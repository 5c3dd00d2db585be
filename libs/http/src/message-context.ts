import type { FastifyInstance } from 'fastify';
import { type MessageContext, uuidv7, withMessage } from '@nestbox/kernel';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const contexts = new WeakMap<object, MessageContext>();

export interface MessageContextOptions {
  /** How long a request may take, in ms; what it calls stops waiting then. */
  readonly timeoutMs: number;
  /** Tenant of every request, as long as nothing says who the caller is. */
  readonly tenantId: string;
}

/**
 * Opens the message context of every request: the caller's `X-Request-Id` if it is usable, else a new one, is the
 * correlation id of everything the request causes, and is answered.
 */
export function openMessageContexts(fastify: FastifyInstance, { timeoutMs, tenantId }: MessageContextOptions): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const given = request.headers['x-request-id'];
    const correlationId = typeof given === 'string' && REQUEST_ID.test(given) ? given : uuidv7();
    const { traceparent } = request.headers;
    const context = {
      correlationId,
      causationId: correlationId,
      tenantId,
      deadline: Date.now() + timeoutMs,
      ...(typeof traceparent === 'string' && TRACEPARENT.test(traceparent) && { traceparent }),
    };
    contexts.set(request.raw, context);
    reply.header('x-request-id', correlationId);
    withMessage(context, done);
  });
  // Reading the body continues from the socket's events, outside of the context: it is entered again.
  fastify.addHook('preValidation', (request, _reply, done) => withMessage(messageOf(request.raw)!, done));
}

/** The message context of a raw request; undefined when it was refused before it could have one. */
export function messageOf(request: object): MessageContext | undefined {
  return contexts.get(request);
}
