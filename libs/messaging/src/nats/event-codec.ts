import { headers, type MsgHdrs } from '@nats-io/transport-node';
import type { StoredEvent } from '../envelope.js';
import { headerText, headerValue } from './header-text.js';

/** Type of what stands in a stream for an event that could not be published; its payload says which and why. */
export const TOMBSTONE_TYPE = 'messaging.tombstone';

/** A message of an event stream is not an event in the agreed form. */
export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent';
}

/** An event as a NATS message, in the binary mode of CloudEvents 1.0: attributes are headers, data is the JSON body. */
export interface EncodedEvent {
  readonly headers: MsgHdrs;
  readonly data: string;
}

export function encodeEvent(event: StoredEvent): EncodedEvent {
  const data = JSON.stringify(event.payload);
  return { headers: eventHeaders(event), data };
}

/** Takes the place of an event that NATS will not take, with the same `n` and `prev`, so that nobody sees a gap. */
export function encodeTombstone(event: StoredEvent, reason: string): EncodedEvent {
  const replaced = eventHeaders(event);
  replaced.set('Nestbox-Tombstone', headerValue(reason));
  return { headers: replaced, data: '{}' };
}

function eventHeaders(event: StoredEvent): MsgHdrs {
  const result = headers();
  const set = (name: string, value: string) => result.set(name, headerValue(value));
  set('ce-specversion', '1.0');
  set('ce-id', event.id);
  set('ce-source', `/${event.type.split('.', 1)[0]}`);
  set('ce-type', event.type);
  set('ce-time', event.createdAt);
  set('ce-subject', event.aggregateId);
  set('ce-datacontenttype', 'application/json');
  set('ce-tenant', event.tenantId);
  set('ce-aggregatetype', event.aggregateType);
  set('ce-aggregateversion', String(event.aggregateVersion));
  set('ce-schemaversion', String(event.schemaVersion));
  set('ce-correlationid', event.headers.correlationId);
  if (event.headers.causationId !== undefined) set('ce-causationid', event.headers.causationId);
  if (event.headers.traceparent !== undefined) set('ce-traceparent', event.headers.traceparent);
  set('Nestbox-N', String(event.n));
  set('Nestbox-Prev', String(event.prev));
  set('Nestbox-Lane', String(event.lane));
  return result;
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
  const traceparent = optional('ce-traceparent');
  return {
    n,
    prev,
    lane: integer('Nestbox-Lane', 0),
    id: text('ce-id'),
    tenantId: text('ce-tenant'),
    aggregateType: text('ce-aggregatetype'),
    aggregateId: text('ce-subject'),
    aggregateVersion: integer('ce-aggregateversion', 0),
    type: tombstone === undefined ? text('ce-type') : TOMBSTONE_TYPE,
    schemaVersion: integer('ce-schemaversion', 0),
    payload: tombstone === undefined ? payload(message.data) : { type: text('ce-type'), reason: tombstone },
    headers: {
      correlationId: text('ce-correlationid'),
      ...(causationId === undefined ? {} : { causationId }),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    createdAt: text('ce-time'),
  };
}

function payload(data: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch (error) {
    fail(`its data is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) fail('its data is not a JSON object');
  return parsed as Record<string, unknown>;
}

function fail(what: string): never {
  throw new MalformedEvent(`The message is not a Nestbox event: ${what}.`);
}
