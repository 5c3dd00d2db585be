import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

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
  void fastify.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    xFrameOptions: { action: 'deny' },
    // Browsers heed it over HTTPS only. What other hosts of the domain serve is not ours to decide.
    strictTransportSecurity: { includeSubDomains: false },
  });
}
