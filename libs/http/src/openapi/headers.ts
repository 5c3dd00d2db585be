import type { OpenAPIObject } from '@nestjs/swagger';
import { takesIdempotencyKey } from '../idempotency-key.js';
import { operationsOf, type Parameter } from './operations.js';

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key', in: 'header', required: false,
  description: 'A text of your choice that stands for this request; a UUID, for example. Repeated with the same key, the request is done once and answered as the first time.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};
const PREFER: Parameter = {
  name: 'Prefer', in: 'header', required: false,
  description: '`wait=<seconds>`: how long you are willing to wait for the answer (RFC 7240).',
  schema: { type: 'string' },
};

/** Headers of answers, by their names. */
const HEADERS = {
  'X-Request-Id': { description: 'Finds everything that the request has caused; that of the request, if it had a usable one.', schema: { type: 'string', examples: ['019acf5e-7c00-7000-8000-000000000000'] } },
  traceparent: { description: 'The span of the request (W3C Trace Context).', schema: { type: 'string', examples: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'] } },
  'Idempotent-Replayed': { description: '`true` when the answer is that of an earlier request with the same key.', schema: { type: 'string', enum: ['true'] } },
  'WWW-Authenticate': { description: 'Which credentials are asked for (RFC 9110).', schema: { type: 'string', examples: ['Bearer'] } },
  RateLimit: { description: 'Requests that are left (`r`), and the seconds until there are more (`t`).', schema: { type: 'string', examples: ['"default";r=599;t=60'] } },
  'RateLimit-Policy': { description: 'How many requests (`q`) there are in a window of so many seconds (`w`).', schema: { type: 'string', examples: ['"default";q=600;w=60'] } },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', examples: [60] } },
} as const;

type HeaderName = keyof typeof HEADERS;

/** Documents the headers that every operation understands, and those that it answers. */
export function documentHeaders(document: OpenAPIObject, { rateLimited }: { readonly rateLimited: boolean }): void {
  const used = new Set<HeaderName>();
  for (const { method, operation } of operationsOf(document)) {
    const isCommand = takesIdempotencyKey(method);
    operation.parameters = [...(operation.parameters ?? []), ...(isCommand ? [IDEMPOTENCY_KEY] : []), PREFER];
    for (const [status, answer] of Object.entries(operation.responses)) {
      const names = namesOf(status, isCommand, rateLimited);
      answer.headers = { ...answer.headers, ...Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
      for (const name of names) used.add(name);
    }
  }
  const headers = Object.fromEntries(Object.entries(HEADERS).filter(([name]) => used.has(name as HeaderName)));
  if (used.size > 0) document.components = { ...document.components, headers: headers as NonNullable<OpenAPIObject['components']>['headers'] & object };
}

function namesOf(status: string, isCommand: boolean, rateLimited: boolean): HeaderName[] {
  return [
    'X-Request-Id',
    'traceparent',
    // A refusal is repeated, too.
    ...(isCommand ? (['Idempotent-Replayed'] as const) : []),
    ...(status === '401' ? (['WWW-Authenticate'] as const) : []),
    ...(rateLimited ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
    ...(status === '429' ? (['Retry-After'] as const) : []),
  ];
}
