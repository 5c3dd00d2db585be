import type { MsgHdrs } from '@nats-io/transport-node';
import type { StoredEvent } from '../envelope.js';
import type { LoggedEvent } from '../relay-log.js';
import { headerText, headerValue } from './header-text.js';

/** A message of an event stream is not an event in the agreed form. */
export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent';
}

/** An event as a NATS message, in the binary mode of CloudEvents 1.0: attributes are headers, data is the JSON body. */
export interface EncodedEvent {
  /** The block of headers, as it is sent. */
  readonly head: Uint8Array;
  readonly data: string;
}

/** @param more further headers, each written by {@link headerLine} */
export function encodeEvent(event: LoggedEvent, more = ''): EncodedEvent {
  return { head: head(event, more), data: 'json' in event ? event.json : JSON.stringify(event.payload) };
}

/** Takes the place of an event that NATS will not take, with the same `n` and `prev`, so that nobody sees a gap. */
export function encodeTombstone(event: LoggedEvent, reason: string, more = ''): EncodedEvent {
  return { head: head(event, more, headerLine('Nestbox-Tombstone', reason)), data: '{}' };
}

export function headerLine(name: string, text: string): string {
  return `${name}: ${headerValue(text)}\r\n`;
}

/** Written at once: the client's own headers are a map that is filled one by one, and read again to be sent. */
function head(event: LoggedEvent, more: string, last = ''): Uint8Array {
  const { correlationId, causationId, origin, traceparent, tracestate } = event.headers;
  const optional = (name: string, text: string | undefined) => (text === undefined ? '' : headerLine(name, text));
  const lines = `NATS/1.0\r
${more}ce-specversion: 1.0\r
ce-id: ${headerValue(event.id)}\r
ce-source: ${headerValue(`/${event.type.split('.', 1)[0]}`)}\r
ce-type: ${headerValue(event.type)}\r
ce-time: ${headerValue(event.createdAt)}\r
ce-subject: ${headerValue(event.aggregateId)}\r
ce-datacontenttype: application/json\r
ce-tenant: ${headerValue(event.tenantId)}\r
ce-aggregatetype: ${headerValue(event.aggregateType)}\r
ce-aggregateversion: ${event.aggregateVersion}\r
ce-schemaversion: ${event.schemaVersion}\r
ce-correlationid: ${headerValue(correlationId)}\r
${optional('ce-causationid', causationId)}${optional('ce-origin', origin)}${optional('ce-traceparent', traceparent)}${optional('ce-tracestate', tracestate)}Nestbox-N: ${event.n}\r
Nestbox-Prev: ${event.prev}\r
Nestbox-Lane: ${event.lane}\r
${last}\r
`;
  // Escaped, they are ASCII.
  return Buffer.from(lines, 'latin1');
}

/** The number and id of an event message, or undefined for a message that no relay has sent. */
export function numberOf(message: MsgHdrs | undefined): { n: number; id: string } | undefined {
  const n = Number(message?.get('Nestbox-N'));
  return Number.isSafeInteger(n) && n >= 1 ? { n, id: headerText(message!.get('ce-id')) } : undefined;
}

/** @throws MalformedEvent that says what is wrong */
export function decodeEvent(message: { headers?: MsgHdrs; data: Uint8Array }): StoredEvent {
  const found = new Map<string, string>();
  for (const [name, values] of message.headers ?? []) found.set(name.toLowerCase(), values[0] ?? '');
  const optional = (name: string) => {
    const value = found.get(name.toLowerCase());
    return value === undefined ? undefined : headerText(value);
  };
  const text = (name: string) => optional(name) ?? fail(`it has no header ${name}`);
  const integer = (name: string, least: number) => {
    const value = text(name);
    return /^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value)) && Number(value) >= least
      ? Number(value)
      : fail(`header ${name} is "${value}", not a whole number of ${least} or more`);
  };
  if (text('ce-specversion') !== '1.0') fail(`ce-specversion is "${text('ce-specversion')}", not 1.0`);
  const n = integer('Nestbox-N', 1);
  const prev = integer('Nestbox-Prev', 0);
  if (prev >= n) fail(`Nestbox-Prev ${prev} is not below Nestbox-N ${n}`);
  const tombstone = optional('Nestbox-Tombstone');
  const causationId = optional('ce-causationid');
  const origin = optional('ce-origin');
  const traceparent = optional('ce-traceparent');
  const tracestate = optional('ce-tracestate');
  return {
    n,
    prev,
    lane: integer('Nestbox-Lane', 0),
    id: text('ce-id'),
    tenantId: text('ce-tenant'),
    aggregateType: text('ce-aggregatetype'),
    aggregateId: text('ce-subject'),
    aggregateVersion: integer('ce-aggregateversion', 0),
    type: text('ce-type'),
    schemaVersion: integer('ce-schemaversion', 0),
    payload: tombstone === undefined ? payload(message.data) : {},
    ...(tombstone !== undefined && { tombstone }),
    headers: {
      correlationId: text('ce-correlationid'),
      ...(causationId === undefined ? {} : { causationId }),
      ...(origin === undefined ? {} : { origin }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { tracestate }),
    },
    createdAt: text('ce-time'),
  };
}

/**
 * What is not a JSON object is kept as it is, a broken text as a text: the event has its place in its lane, and its
 * handlers put it into trouble with the reason. Thrown away it would leave a hole that stops the whole lane.
 */
function payload(data: Uint8Array): Record<string, unknown> {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return text as unknown as Record<string, unknown>;
  }
}

function fail(what: string): never {
  throw new MalformedEvent(`The message is not a Nestbox event: ${what}.`);
}
