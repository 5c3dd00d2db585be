import { currentMessage, DomainEvent, type DomainEventClass, type MessageContext, type Upcaster } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from './envelope.js';
import { deliver, type EventHandler, isIncurable } from './handlers.js';
import { describeError } from './trouble.js';

class Moved extends DomainEvent {
  static readonly type = 'test.moved';
  static readonly schemaVersion = 2;
  constructor(readonly at: Date) {
    super();
  }
  static readonly upcasters: Readonly<Record<number, Upcaster>> = { 1: ({ time, ...rest }) => ({ ...rest, at: time }) };
  static revive({ at }: Readonly<Record<string, unknown>>): Moved {
    return new Moved(new Date(String(at)));
  }
}

class Plain extends DomainEvent {
  static readonly type = 'test.plain';
  static readonly schemaVersion = 2;
}

const stored = (type: string, payload: unknown, schemaVersion: number): StoredEvent => ({
  n: 1, prev: 0, lane: 0, id: 'id', tenantId: 't', aggregateType: 'test.a', aggregateId: 'a', aggregateVersion: 1, type, schemaVersion,
  payload: payload as Record<string, unknown>, headers: { correlationId: 'c' }, createdAt: '2026-11-21T07:00:00.000Z',
});

async function given(type: string, payload: unknown, schemaVersion: number): Promise<DomainEvent> {
  let seen: DomainEvent | undefined;
  const handler: EventHandler = { name: 'Handler', events: new Map<string, DomainEventClass>([['test.moved', Moved], ['test.plain', Plain]]), handle: (event) => (seen = event) };
  await deliver(handler, stored(type, payload, schemaVersion));
  return seen!;
}

describe('an event on its way to its handler', () => {
  it('is made by its class, also of a payload of an older version', async () => {
    const now = new Date('2026-11-21T07:00:00Z');
    expect(await given('test.moved', { at: now.toISOString() }, 2)).toEqual(new Moved(now));
    expect(await given('test.moved', { time: now.toISOString() }, 1)).toEqual(new Moved(now));
  });

  it('is handled in a span of its own, in the trace of what has raised it', async () => {
    let seen: MessageContext | undefined;
    const handler: EventHandler = { name: 'Handler', events: new Map([['test.plain', Plain]]), handle: () => void (seen = currentMessage()) };
    const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const event = stored('test.plain', {}, 2);
    await deliver(handler, { ...event, headers: { ...event.headers, traceparent: `00-${trace}-${span}-01`, tracestate: 'rojo=1' } });
    expect(seen).toMatchObject({ correlationId: 'c', causationId: 'id', traceparent: expect.stringMatching(`^00-${trace}-(?!${span})[0-9a-f]{16}-01$`), tracestate: 'rojo=1' });
    await deliver(handler, event);
    expect(seen).not.toHaveProperty('traceparent');
  });

  it.each([
    ['newer', 'test.plain', {}, 3, /version 3, this process knows version 2\. Deploy the version that knows it, then replay/],
    ['older, and nothing reads it', 'test.plain', {}, 1, /version 1, this process knows version 2\. Give the event class an upcaster for version 1/],
    ['no JSON', 'test.plain', '{"a":', 2, /cannot be decoded: it is not JSON \(/],
    ['a text', 'test.plain', '"text"', 2, /cannot be decoded: it is not JSON \(but a text\)/],
    ['a list', 'test.plain', [], 2, /cannot be decoded: it is not a JSON object/],
    ['nothing', 'test.plain', null, 2, /cannot be decoded: it is not a JSON object/],
  ])('is beyond any retry when it is %s', async (_, type, payload, version, message) => {
    const error = await given(type, payload, version).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(isIncurable(error)).toBe(true);
  });
});

describe('the reason of a failure', () => {
  it.each([
    ['an error with texts that Postgres refuses', Object.assign(new Error('nul \0 and half a pair \ud800'), { code: 'E\0' })],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: { toString: null } })],
    ['an error with a code that is no JSON', Object.assign(new Error('x'), { code: 1n })],
    ['no error', Object.create(null)],
    ['nothing', undefined],
    ['a symbol', Symbol('why')],
    ['a very long one', new Error('x'.repeat(1_000_000))],
  ])('can be stored, whatever was thrown: %s', (_, thrown) => {
    const json = JSON.stringify(describeError(thrown));
    expect(json).not.toMatch(/\\u0000|\\ud800/);
    expect(json.length).toBeLessThan(40_000);
    expect(typeof JSON.parse(json).message).toBe('string');
  });
});
