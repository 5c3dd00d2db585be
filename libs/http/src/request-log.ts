import { Logger } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { withMessage } from '@nestbox/kernel';
import { messageOf } from './message-context.js';

/** Writes one line per request, with the request's correlation; health checks are left out. */
export function logRequests(fastify: FastifyInstance): void {
  const logger = new Logger('http');
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method, url } = request;
    if (!url.startsWith('/health/')) {
      const line = { method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10 };
      const write = () => logger.log(line, `${method} ${url} ${reply.statusCode}`);
      const message = messageOf(request.raw);
      if (message) withMessage(message, write);
      else write();
    }
    done();
  });
}
