import type { Type } from '@nestjs/common';
import { type AsyncApiMessage, type DomainEventClass, ERROR_KINDS, exampleOf, type JsonSchema } from '@nestbox/kernel';
import type { MessageClass } from '../message-types.js';
import type { RequestKind } from '../nats/subjects.js';
import { eventHeaders, requestHeaders } from './headers.js';
import { closed, descriptionOf, schemaOf } from './json-schema.js';

/** Key of the message that every refusal is. */
export const REFUSED = 'refused';

const JSON_TYPE = 'application/json';
const ID: JsonSchema = { type: 'string', description: 'Chosen by the sender, and sent back.', examples: ['1'] };

export function eventMessage(context: string, event: DomainEventClass): AsyncApiMessage {
  const { type, name, schemaVersion = 1 } = event;
  return {
    name: type,
    title: name,
    ...summary(event),
    contentType: JSON_TYPE,
    correlationId: { location: '$message.header#/ce-correlationid' },
    headers: eventHeaders(context, type, schemaVersion),
    ...withExample(schemaOf(event as unknown as Type)),
  };
}

/** A command or query in the packet of Nest's NATS transport. Its data alone, without a packet, is taken, too. */
export function requestMessage(kind: RequestKind, message: MessageClass, subject: string): AsyncApiMessage {
  const data = closed(schemaOf(message));
  return {
    name: message.type,
    title: message.name,
    ...summary(message),
    contentType: JSON_TYPE,
    correlationId: { location: '$message.header#/Nestbox-Correlation-Id' },
    headers: requestHeaders(),
    ...withExample(packet({ pattern: { type: 'string', const: subject }, data, id: ID }, ['data'], `The ${kind} is the data; without a packet around it, it is understood, too.`)),
  };
}

export function replyMessage(message: MessageClass): AsyncApiMessage {
  const response = message.reply ? schemaOf(message.reply) : { description: 'Not described.' };
  return {
    name: `${message.type}.reply`,
    title: `Reply to ${message.name}`,
    contentType: JSON_TYPE,
    ...withExample(packet({ response, isDisposed: { type: 'boolean', const: true }, id: ID }, message.reply ? ['response', 'isDisposed'] : ['isDisposed'])),
  };
}

/** A refusal, or a failure without a kind, whose reason stands in the log of the context. */
export function refusalMessage(): AsyncApiMessage {
  const err: JsonSchema = {
    type: 'object',
    properties: {
      kind: { type: 'string', enum: [...ERROR_KINDS], description: 'What kind of refusal; none when it was a failure.', examples: ['not-found'] },
      code: { type: 'string', description: 'Stable name of the refusal.', examples: ['ordering.order-not-found'] },
      message: { type: 'string', description: 'What was wrong and what to do, for a person.', examples: ['There is no such order.'] },
      details: { type: 'object', description: 'Facts about it, for a program.' },
    },
    required: ['code', 'message'],
  };
  return { name: REFUSED, title: 'Refusal', summary: 'The request was not done.', contentType: JSON_TYPE, ...withExample(packet({ err, isDisposed: { type: 'boolean', const: true }, id: ID }, ['err', 'isDisposed'])) };
}

function packet(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[], description?: string): JsonSchema {
  return { type: 'object', ...(description !== undefined && { description }), properties, required };
}

function withExample(payload: JsonSchema): Pick<AsyncApiMessage, 'payload' | 'examples'> {
  return { payload, examples: [{ payload: exampleOf(payload) }] };
}

function summary(type: object): { readonly summary?: string } {
  const description = descriptionOf(type);
  return description === undefined ? {} : { summary: description };
}
