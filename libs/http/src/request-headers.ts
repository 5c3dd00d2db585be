import type { OpenAPIObject } from '@nestjs/swagger';
import { takesIdempotencyKey } from './idempotency-key.js';

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key', in: 'header', required: false,
  description: 'A text of your choice that stands for this request; a UUID, for example. Repeated with the same key, the request is done once and answered as the first time.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};
const PREFER = {
  name: 'Prefer', in: 'header', required: false,
  description: '`wait=<seconds>`: how long you are willing to wait for the answer (RFC 7240).',
  schema: { type: 'string' },
};
const REPLAYED = { description: '`true` when the answer is that of an earlier request with the same key.', schema: { type: 'string', enum: ['true'] } };

interface Operation {
  parameters?: object[];
  readonly responses: Record<string, { headers?: Record<string, object> }>;
}

/** Documents the headers that every operation understands. */
export function documentRequestHeaders(document: OpenAPIObject): void {
  for (const path of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(path as Record<string, Operation>)) {
      const isCommand = takesIdempotencyKey(method);
      operation.parameters = [...(operation.parameters ?? []), ...(isCommand ? [IDEMPOTENCY_KEY] : []), PREFER];
      if (!isCommand) continue;
      for (const response of Object.values(operation.responses)) response.headers = { ...response.headers, 'Idempotent-Replayed': REPLAYED };
    }
  }
}
