import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { withMessage } from '@nestbox/kernel';
import { messageOf } from './message-context.js';

/** Writes one line per request, with the request's correlation; health checks are left out. */
export function logRequests(app: NestFastifyApplication): void {
  const logger = new Logger('http');
  app.getHttpAdapter().getInstance().addHook('onResponse', (request, reply, done) => {
    const { method, url } = request;
    if (!url.startsWith('/health/')) {
      const line = { method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10 };
      withMessage(messageOf(request.raw), () => logger.log(line, `${method} ${url} ${reply.statusCode}`));
    }
    done();
  });
}
