import type { Type } from '@nestjs/common';
import type { AsyncApiChannel, AsyncApiDocument, AsyncApiMessage, AsyncApiOperation, AsyncApiReference } from '@nestbox/kernel';
import { Subjects } from '../nats/subjects.js';
import { type AnsweredMessage, catalogueOf, type PublishedEvent } from './catalogue.js';
import { HEADER_SCHEMAS } from './headers.js';
import { eventMessage, refusalMessage, REFUSED, replyMessage, requestMessage } from './messages.js';

export interface AsyncApiOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  readonly license?: string;
  /** The names in NATS. Default: without a namespace. */
  readonly subjects?: Subjects;
}

/** Parts of a document, each under its key. */
interface Parts {
  readonly channels: Readonly<Record<string, AsyncApiChannel>>;
  readonly operations: Readonly<Record<string, AsyncApiOperation>>;
  readonly messages: Readonly<Record<string, AsyncApiMessage>>;
}

/**
 * The AsyncAPI document of what these `@ContextModule`s say to each other: events, and commands and queries with their
 * answers. It is made of the classes; nothing is started for it. Operations are seen from the context that they are tagged with.
 * @throws UsageError as {@link catalogueOf} and {@link schemaOf} do
 */
export function asyncApiDocument(modules: readonly Type[], { title, description, version, license, subjects = new Subjects() }: AsyncApiOptions): AsyncApiDocument {
  const { events, messages } = catalogueOf(modules);
  const parts = [...events.map((event) => eventParts(event, subjects)), ...messages.map((message) => requestParts(message, subjects))];
  return {
    asyncapi: '3.0.0',
    info: { title, version, description, ...(license !== undefined && { license: { name: license } }) },
    defaultContentType: 'application/json',
    channels: Object.assign({}, ...parts.map(({ channels }) => channels)) as AsyncApiDocument['channels'],
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)) as AsyncApiDocument['operations'],
    components: { schemas: HEADER_SCHEMAS, messages: Object.assign(messages.length > 0 ? { [REFUSED]: refusalMessage() } : {}, ...parts.map((part) => part.messages)) as AsyncApiDocument['components']['messages'] },
  };
}

function eventParts({ context, event, handlers }: PublishedEvent, subjects: Subjects): Parts {
  const { type, schemaVersion = 1 } = event;
  const channel = reference('channels', type);
  return {
    channels: {
      [type]: {
        address: subjects.eventAddress(type, schemaVersion),
        title: event.name,
        description: `Kept in the JetStream stream ${subjects.stream(context)}.`,
        tags: [{ name: context }],
        parameters: { lane: { description: 'Hash slot of the aggregate: events of a lane are in order.' }, tenant: { description: 'Whose data it is.' } },
        messages: { [type]: reference('components', 'messages', type) },
      },
    },
    operations: Object.fromEntries([
      [`publish.${type}`, { action: 'send', title: `${context} publishes ${event.name}`, tags: [{ name: context }], channel }],
      ...handlers.map(({ reader, handler }) => [`handle.${reader}.${handler}.${type}`, { action: 'receive', title: `${handler} (${reader})`, tags: [{ name: reader.split('.', 1)[0]! }], channel }]),
    ]) as Parts['operations'],
    messages: { [type]: eventMessage(context, event) },
  };
}

function requestParts({ context, kind, message }: AnsweredMessage, subjects: Subjects): Parts {
  const { type, name } = message;
  const [request, reply] = [type, `${type}.reply`];
  const subject = subjects.request(kind, type);
  const tags = [{ name: context }];
  return {
    channels: {
      [request]: { address: subject, title: name, tags, messages: { [request]: reference('components', 'messages', request) } },
      [reply]: { address: null, title: `Reply to ${name}`, tags, messages: { [reply]: reference('components', 'messages', reply), [REFUSED]: reference('components', 'messages', REFUSED) } },
    },
    operations: {
      [`answer.${type}`]: {
        action: 'receive',
        title: `${context} answers the ${kind} ${name}`,
        tags,
        channel: reference('channels', request),
        // The processes of a context share its requests.
        bindings: { nats: { queue: context, bindingVersion: '0.1.0' } },
        reply: { address: { location: '$message.header#/reply', description: 'The reply subject that the NATS client sends along.' }, channel: reference('channels', reply) },
      },
    },
    messages: { [request]: requestMessage(kind, message, subject), [reply]: replyMessage(message) },
  };
}

/** A JSON pointer into the document. */
function reference(...path: readonly string[]): AsyncApiReference {
  return { $ref: `#/${path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}` };
}
