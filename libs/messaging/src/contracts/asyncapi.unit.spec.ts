import 'reflect-metadata';
import specs from '@asyncapi/specs';
import { MsgHdrsImpl } from '@nats-io/transport-node';
import { Command, CommandHandler, EventsHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { DomainEvent, type JsonSchema, uuidv7 } from '@nestbox/kernel';
import { Ajv, type AnySchema } from 'ajv';
import { describe, expect, it } from 'vitest';
import { ContextModule } from '../context-module.js';
import type { StoredEvent } from '../envelope.js';
import { contextHeaders } from '../nats/message-headers.js';
import { encodeEvent } from '../nats/event-codec.js';
import { Subjects } from '../nats/subjects.js';
import { asyncApiDocument } from './asyncapi.js';
import { catalogueOf } from './catalogue.js';

@ApiSchema({ description: 'The lamp is on.' })
class LampLit extends DomainEvent {
  static readonly type = 'lamp.lamp-lit';
  static readonly schemaVersion = 2;
  static readonly upcasters = { 1: (payload: object) => ({ ...payload }) };

  @ApiProperty({ type: String, example: 'desk' })
  readonly lamp!: string;
}

class LampView {
  @ApiProperty({ type: Boolean })
  readonly lit!: boolean;
}

class Light extends Command<LampView> {
  static readonly type = 'lamp.light';
  static readonly reply = LampView;

  @ApiProperty({ type: String, example: 'desk' })
  readonly lamp!: string;
}

@CommandHandler(Light)
class LightHandler {
  async execute() {}
}

class CountLamps extends Query<number> {
  static readonly type = 'lamp.count-lamps';
}

@QueryHandler(CountLamps)
class CountLampsHandler {
  async execute() {}
}

@ContextModule({ name: 'lamp', commands: [LightHandler], queries: [CountLampsHandler], publishes: [LampLit] })
class LampModule {}

@EventsHandler(LampLit)
class PayWhenLit {
  handle() {}
}

@EventsHandler(LampLit)
class CountWhenLit {
  handle() {}
}

@ContextModule({ name: 'power', subscribers: [PayWhenLit], projections: [{ name: 'usage', tables: ['usage'], subscribers: [CountWhenLit] }] })
class PowerModule {}

const document = asyncApiDocument([LampModule, PowerModule], { title: 'Lamps', description: 'For a test.', version: '1', subjects: new Subjects('home') });

describe('the AsyncAPI document of some contexts', () => {
  it('is one, by the schema of AsyncAPI 3.0', () => {
    // It brings its own copy of the schema of schemas.
    const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, meta: false });
    const validate = ajv.compile(specs.schemas['3.0.0'] as AnySchema);
    expect([validate(document), validate.errors]).toEqual([true, null]);
    expect(validate({ ...document, channels: { x: { address: 1 } } })).toBe(false);
  });

  it('says where an event is found, and who publishes and handles it', () => {
    expect(document.channels['lamp.lamp-lit']).toMatchObject({ address: 'home.evt.lamp.{lane}.{tenant}.lamp-lit.v2', description: expect.stringContaining('HOME_EVT_lamp') });
    expect(Object.entries(document.operations).filter(([, { channel }]) => channel.$ref === '#/channels/lamp.lamp-lit').map(([id, { action, tags }]) => [id, action, tags[0]!.name])).toEqual([
      ['publish.lamp.lamp-lit', 'send', 'lamp'],
      ['handle.power.PayWhenLit.lamp.lamp-lit', 'receive', 'power'],
      ['handle.power.usage.CountWhenLit.lamp.lamp-lit', 'receive', 'power'],
    ]);
    expect(document.components.messages['lamp.lamp-lit']).toMatchObject({ title: 'LampLit', summary: 'The lamp is on.', payload: { properties: { lamp: { type: 'string' } }, required: ['lamp'] }, examples: [{ payload: { lamp: 'desk' } }] });
  });

  it('names the subject of a real event', () => {
    const subjects = new Subjects('home');
    const subject = subjects.event('lamp', { lane: 7, tenantId: 'acme', type: 'lamp.lamp-lit', schemaVersion: 2 });
    expect(subjects.eventAddress('lamp.lamp-lit', 2).replace('{lane}', '7').replace('{tenant}', 'acme')).toBe(subject);
  });

  it('says what a command takes and gives back, where that is known', () => {
    expect(document.channels).toMatchObject({ 'lamp.light': { address: 'home.cmd.lamp.light' }, 'lamp.light.reply': { address: null }, 'lamp.count-lamps': { address: 'home.qry.lamp.count-lamps' } });
    expect(document.operations['answer.lamp.light']).toMatchObject({ action: 'receive', bindings: { nats: { queue: 'lamp' } }, reply: { channel: { $ref: '#/channels/lamp.light.reply' } } });
    expect(document.components.messages).toMatchObject({
      'lamp.light': { payload: { properties: { pattern: { const: 'home.cmd.lamp.light' }, data: { required: ['lamp'], additionalProperties: false } } } },
      'lamp.light.reply': { payload: { properties: { response: { title: 'LampView' } } } },
      'lamp.count-lamps.reply': { payload: { properties: { response: { description: 'Not described.' } } } },
    });
  });

  it('wants modules of contexts', () => {
    class Plain {}
    expect(() => catalogueOf([Plain])).toThrow(/Plain is not the module of a context/);
  });
});

describe('the headers in the document', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'document', ...document });
  const differences = (message: string, headers: Iterable<[string, string[]]>) => {
    const sent = Object.fromEntries([...headers].map(([name, [value]]) => [name, value]));
    const schema = document.components.messages[message]!.headers!;
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as AnySchema);
    const broken = validate(sent) === true ? [] : validate.errors!;
    const names = new Set([schema, ...(schema.allOf ?? [])].flatMap(({ $ref }) => Object.keys(document.components.schemas[$ref?.split('/').at(-1) ?? '']?.properties ?? {})));
    return [...broken, ...Object.keys(sent).filter((name) => !names.has(name))];
  };
  const event: StoredEvent = {
    n: 2, prev: 1, lane: 3, id: uuidv7(), tenantId: 'acme', aggregateType: 'lamp.lamp', aggregateId: 'desk', aggregateVersion: 1, type: 'lamp.lamp-lit', schemaVersion: 2,
    payload: { lamp: 'desk' }, headers: { correlationId: 'c', causationId: 'd', origin: 'Light', traceparent: '00-1-2-01' }, createdAt: '2026-03-01T12:00:00.000Z',
  };

  it('are those that an event is sent with', () => {
    expect(differences('lamp.lamp-lit', MsgHdrsImpl.decode(encodeEvent(event).head))).toEqual([]);
    expect(differences('lamp.lamp-lit', MsgHdrsImpl.decode(encodeEvent({ ...event, schemaVersion: 1 }).head))).not.toEqual([]);
  });

  it('are those that a request is sent with', () => {
    expect(differences('lamp.light', contextHeaders({ correlationId: 'c', causationId: 'd', tenantId: 'acme', traceparent: '00-1-2-01' }, 100))).toEqual([]);
  });

  it('leave out nothing that an event cannot do without', () => {
    const required = (document.components.schemas['EventHeaders'] as JsonSchema).required!;
    const { head } = encodeEvent({ ...event, headers: { correlationId: 'c' } });
    expect([...MsgHdrsImpl.decode(head)].map(([name]) => name).toSorted()).toEqual(required.toSorted());
  });
});
