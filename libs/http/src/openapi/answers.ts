import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { PROBLEM_TYPE } from '../problem-reply.js';
import { type Operation, operationsOf, schemasOf } from './operations.js';

/** Name that schemas of answers are referred to by, within Fastify. */
const DOCUMENT = 'openapi';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the API document says of the route, and of its aliases. */
    documented?: DocumentedRoute;
  }
}

/** A route that the API document describes. */
export interface DocumentedRoute {
  /** `get /v1/orders/{id}` */
  readonly name: string;
  readonly operation: Operation;
}

/**
 * Has Fastify write the answers of documented routes by their schemas: a field that is not in the document is not written, and the
 * program that writes is compiled once. Routes that exist already are left as they are.
 */
export function serializeAnswers(fastify: FastifyInstance, document: OpenAPIObject): void {
  fastify.addSchema({ $id: DOCUMENT, components: { schemas: schemasOf(document) } });
  const routes = new Map(operationsOf(document).map(({ method, path, operation }) => [`${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, { name: `${method} ${path}`, operation }]));
  fastify.addHook('onRoute', (route) => {
    const documented = routes.get(`${String(route.method).toLowerCase()} ${route.url}`);
    if (!documented) return;
    route.config = { ...route.config, documented };
    route.schema = { ...route.schema, response: responseSchemas(documented.operation) };
  });
}

/** One program for each body that is no problem, and one for all problems. */
function responseSchemas({ responses }: Operation): Record<string, unknown> {
  const schemas: Record<string, unknown> = {};
  for (const [status, { content = {} }] of Object.entries(responses)) {
    const { [PROBLEM_TYPE]: problem, ...others } = content;
    if (problem) schemas[`${status[0]}xx`] = { content: { [PROBLEM_TYPE]: { schema: { $ref: `${DOCUMENT}#/components/schemas/Problem` } } } };
    const written = Object.entries(others).filter(([, { schema }]) => schema);
    if (written.length > 0) schemas[status] = { content: Object.fromEntries(written.map(([type, { schema }]) => [type, { schema: absolute(schema) }])) };
  }
  return schemas;
}

/** A schema whose references are those of Fastify's store. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === '$ref' ? `${DOCUMENT}${String(inner)}` : absolute(inner)]));
}
