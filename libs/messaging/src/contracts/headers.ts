import type { JsonSchema } from '@nestbox/kernel';

const text = (description: string): JsonSchema => ({ type: 'string', description });
const whole = (description: string): JsonSchema => ({ type: 'string', pattern: String.raw`^\d{1,16}$`, description });

/** The headers that all events have, as {@link encodeEvent} writes them: the attributes of CloudEvents 1.0 in binary mode, and the event's place in the log. */
const EVENT_HEADERS: JsonSchema = {
  type: 'object',
  properties: {
    'ce-specversion': { type: 'string', const: '1.0' },
    'ce-id': { type: 'string', format: 'uuid', description: 'Id of the event, a UUID v7; the same at every delivery.' },
    'ce-source': text('`/<context>`'),
    'ce-type': text('`<context>.<what-happened>`'),
    'ce-time': { type: 'string', format: 'date-time', description: 'When it was committed.' },
    'ce-subject': text('Id of the aggregate.'),
    'ce-datacontenttype': { type: 'string', const: 'application/json' },
    'ce-tenant': text('Whose data it is.'),
    'ce-aggregatetype': text('`<context>.<aggregate>`'),
    'ce-aggregateversion': whole('Version of the aggregate once this had happened.'),
    'ce-schemaversion': whole('Version of the payload.'),
    'ce-correlationid': text('The same in everything that one request has led to.'),
    'ce-causationid': text('Id of the event that has led to this one.'),
    'ce-origin': text('The command type or the event handler that has raised it.'),
    'ce-traceparent': text('W3C trace context.'),
    'Nestbox-N': whole('Number of the event in the log of its context: 1, 2, 3 …'),
    'Nestbox-Prev': whole('Number of the event before it in its lane, 0 for the first: a reader that has not seen it has a gap.'),
    'Nestbox-Lane': whole('Hash slot of the aggregate: events of a lane are in order.'),
  },
  required: [
    'ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-time', 'ce-subject', 'ce-datacontenttype', 'ce-tenant', 'ce-aggregatetype', 'ce-aggregateversion',
    'ce-schemaversion', 'ce-correlationid', 'Nestbox-N', 'Nestbox-Prev', 'Nestbox-Lane',
  ],
};

/** The headers of a command or query, which {@link contextHeaders} writes. All but the signature may be left out: a request without them begins a new chain. */
const REQUEST_HEADERS: JsonSchema = {
  type: 'object',
  properties: {
    'Nestbox-Correlation-Id': text('The same in everything that one request has led to.'),
    'Nestbox-Tenant': text('Whose data it is about.'),
    'Nestbox-Causation-Id': text('Id of the message that has led to this one.'),
    'Nestbox-Timeout-Ms': whole('How long the sender still waits, in ms.'),
    'Nestbox-Identity': text('Who asks, as JSON with `%XX` for blanks and quotes: `{ "subject", "permissions" }`. Missing: nobody knows.'),
    'Nestbox-Signature': text('`v1,<Unix ms>,<base64url>`: HMAC-SHA-256 under the key that the services share, over subject, time, these headers and the body. Without it a request is refused.'),
    traceparent: text('W3C trace context.'),
  },
};

/** The schemas that messages refer to. */
export const HEADER_SCHEMAS = { EventHeaders: EVENT_HEADERS, RequestHeaders: REQUEST_HEADERS } as const satisfies Record<string, JsonSchema>;

/** The headers of the events of one type: those of all, and what is always the same in them. */
export function eventHeaders(context: string, type: string, schemaVersion: number): JsonSchema {
  const own = { 'ce-source': `/${context}`, 'ce-type': type, 'ce-schemaversion': String(schemaVersion) };
  const properties = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, { type: 'string', const: value }]));
  return { allOf: [{ $ref: '#/components/schemas/EventHeaders' }, { type: 'object', properties }] };
}

export function requestHeaders(): JsonSchema {
  return { $ref: '#/components/schemas/RequestHeaders' };
}
