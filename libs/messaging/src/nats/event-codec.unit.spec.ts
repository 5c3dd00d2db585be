import { headers, MsgHdrsImpl } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../envelope.js';
import { type EncodedEvent, MalformedEvent, decodeEvent, encodeEvent, encodeTombstone, headerLine, numberOf } from './event-codec.js';

const event: StoredEvent = {
  n: 42,
  prev: 40,
  lane: 7,
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  tenantId: 'acme',
  aggregateType: 'ordering.order',
  aggregateId: 'order-1',
  aggregateVersion: 3,
  type: 'ordering.order-placed',
  schemaVersion: 1,
  payload: { orderId: 'order-1', lines: [{ quantity: 2 }], note: null },
  headers: { correlationId: 'c-1', causationId: 'm-1', origin: 'PlaceOrder', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'rojo=1,congo=2' },
  createdAt: '2026-11-21T07:16:42.109Z',
};

/** With the headers as whoever receives it sees them. */
function read({ head, data }: EncodedEvent): { headers: ReturnType<typeof headers>; data: string } {
  return { headers: MsgHdrsImpl.decode(head), data };
}

const encoded = (given: StoredEvent) => read(encodeEvent(given));

/** As it arrives: headers and data have been bytes in between. */
function overTheWire(encoded: { headers: ReturnType<typeof headers>; data: string }) {
  const wire = (encoded.headers as unknown as { encode(): Uint8Array }).encode();
  const type = encoded.headers.constructor as unknown as { decode(bytes: Uint8Array): ReturnType<typeof headers> };
  return { headers: type.decode(wire), data: new TextEncoder().encode(encoded.data) };
}

describe('event codec', () => {
  it('follows CloudEvents 1.0 in binary mode', () => {
    const { headers: sent, data } = encoded(event);
    expect(sent.get('ce-specversion')).toBe('1.0');
    expect(sent.get('ce-type')).toBe('ordering.order-placed');
    expect(sent.get('ce-source')).toBe('/ordering');
    expect(sent.get('ce-subject')).toBe('order-1');
    expect(sent.get('ce-datacontenttype')).toBe('application/json');
    expect(sent.get('Nestbox-N')).toBe('42');
    expect(JSON.parse(data)).toEqual(event.payload);
  });

  it('comes back as it was', () => {
    expect(decodeEvent(overTheWire(encoded(event)))).toEqual(event);
    const bare = { ...event, headers: { correlationId: 'c-1' } };
    expect(decodeEvent(overTheWire(encoded(bare)))).toEqual(bare);
  });

  it.each(['', ' ', ' a b ', 'line\nend', 'carriage\r\nreturn: x', 'tab\t', 'ünïcödé 漢字 🙂', '100%', '%41', '"quoted"', 'a:b', '\u0000', '\u007f'])(
    'carries %j wherever a text stands',
    (text) => {
      const odd: StoredEvent = {
        ...event,
        tenantId: text,
        aggregateId: text,
        payload: { text, [text]: [text] },
        headers: { correlationId: text, causationId: text, origin: text, traceparent: text, tracestate: text },
      };
      expect(decodeEvent(overTheWire(encoded(odd)))).toEqual(odd);
    },
  );

  it('puts a tombstone where an event cannot go', () => {
    const decoded = decodeEvent(overTheWire(read(encodeTombstone(event, 'too large: 2 MB'))));
    expect(decoded).toEqual({ ...event, payload: {}, tombstone: 'too large: 2 MB' });
  });

  it.each([['{"broken', '{"broken'], ['[1]', [1]], ['null', null], ['', '']])('keeps what is no JSON object as it came, so that the lane has no hole: %j', (data, payload) => {
    const { headers: sent } = encoded(event);
    expect(decodeEvent({ headers: sent, data: new TextEncoder().encode(data) })).toEqual({ ...event, payload });
  });

  it('writes the headers byte by byte as the client would', () => {
    const odd = 'a b\r\n%"ü🙂';
    const bare = { ...event, headers: { correlationId: '' } };
    for (const given of [event, bare, { ...event, tenantId: odd, aggregateId: odd, headers: { ...event.headers, correlationId: odd, tracestate: odd } }]) {
      const { head } = encodeEvent(given, headerLine('Nats-Msg-Id', event.id) + headerLine('Nestbox-Relay', odd));
      const theClients = headers();
      for (const [name, [value]] of MsgHdrsImpl.decode(head)) theClients.set(name, value!);
      expect(theClients.keys().length).toBeGreaterThanOrEqual(17);
      expect(Buffer.from(head).toString()).toBe((theClients as MsgHdrsImpl).toString());
    }
    const { head } = encodeTombstone(event, odd);
    expect(Buffer.from(head).toString()).toBe(MsgHdrsImpl.decode(head).toString());
    expect(MsgHdrsImpl.decode(head).get('Nestbox-Tombstone')).toBe('a%20b%0D%0A%25%22%C3%BC%F0%9F%99%82');
  });

  it('sends the text of a payload as the database has it', () => {
    const { payload, ...rest } = event;
    const json = JSON.stringify(payload, undefined, 1);
    const sent = encodeEvent({ ...rest, json });
    expect(sent.data).toBe(json);
    expect(decodeEvent(overTheWire(read(sent)))).toEqual(event);
  });

  it('tells the number of an event, and that of a foreign message not', () => {
    expect(numberOf(overTheWire(encoded(event)).headers)).toEqual({ n: 42, id: event.id });
    expect(numberOf(headers())).toBeUndefined();
    expect(numberOf(undefined)).toBeUndefined();
  });

  const broken: [what: string, change: (sent: ReturnType<typeof encoded>) => { headers?: ReturnType<typeof headers>; data: string }][] = [
    ['no header ce-specversion', ({ data }) => ({ data })],
    ['no header ce-id', (sent) => (sent.headers.delete('ce-id'), sent)],
    ['ce-specversion is "0.3"', (sent) => (sent.headers.set('ce-specversion', '0.3'), sent)],
    ['Nestbox-N is "x"', (sent) => (sent.headers.set('Nestbox-N', 'x'), sent)],
    ['Nestbox-N is "0"', (sent) => (sent.headers.set('Nestbox-N', '0'), sent)],
    ['Nestbox-N is "99999999999999999999"', (sent) => (sent.headers.set('Nestbox-N', '99999999999999999999'), sent)],
    ['Nestbox-Prev 42 is not below Nestbox-N 42', (sent) => (sent.headers.set('Nestbox-Prev', '42'), sent)],
    ['Nestbox-Lane is "-1"', (sent) => (sent.headers.set('Nestbox-Lane', '-1'), sent)],
  ];
  it.each(broken)('says what is wrong: %s', (what, change) => {
    const { headers: sent, data } = change(encoded(event));
    const message = { ...(sent ? { headers: sent } : {}), data: new TextEncoder().encode(data) };
    expect(() => decodeEvent(message)).toThrow(MalformedEvent);
    expect(() => decodeEvent(message)).toThrow(what);
  });
});
