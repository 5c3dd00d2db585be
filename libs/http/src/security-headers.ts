import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

/**
 * What a browser may do with any answer of ours: load nothing from elsewhere, run no script that stands in a page, be in no frame.
 * Swagger UI keeps to it but for its styles, which it sets at its elements.
 */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** Adds the headers that tell browsers to be careful to every answer. */
export function sendSecurityHeaders(fastify: FastifyInstance): void {
  const headers = securityHeaders();
  fastify.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
}

/** What Helmet sets at one answer, which is the same for all of them: it would put it together anew for each. */
function securityHeaders(): ReturnType<ServerResponse['getHeaders']> {
  const answer = new ServerResponse(new IncomingMessage(new Socket()));
  const setHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    xFrameOptions: { action: 'deny' },
    // Browsers heed it over HTTPS only. What other hosts of the domain serve is not ours to decide.
    strictTransportSecurity: { includeSubDomains: false },
  });
  setHeaders(answer.req, answer, (error) => {
    if (error) throw error as Error;
  });
  return answer.getHeaders();
}
