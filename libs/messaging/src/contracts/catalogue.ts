import type { Type } from '@nestjs/common';
import { type DomainEventClass, UsageError } from '@nestbox/kernel';
import { type ContextDefinition, contextDefinitionOf } from '../context-module.js';
import { handledEvents, handledMessage, type MessageClass } from '../message-types.js';
import type { RequestKind } from '../nats/subjects.js';
import { checkUpcasters } from '../upcast.js';

/** An event class, who publishes it and who handles it. */
export interface PublishedEvent {
  readonly context: string;
  readonly event: DomainEventClass;
  readonly handlers: readonly { readonly reader: string; readonly handler: string }[];
}

/** A command or query, and the context that answers it. */
export interface AnsweredMessage {
  readonly context: string;
  readonly kind: RequestKind;
  readonly message: MessageClass;
}

/** All messages that contexts exchange. */
export interface Catalogue {
  readonly contexts: readonly string[];
  readonly events: readonly PublishedEvent[];
  readonly messages: readonly AnsweredMessage[];
}

/**
 * What the `@ContextModule`s say about their messages; nothing is started for it.
 * @throws UsageError for a class that is no context module, and for what the start of an application would refuse in their messages
 */
export function catalogueOf(modules: readonly Type[]): Catalogue {
  const definitions = modules.map(definitionOf);
  const handlings = definitions.flatMap(handlingsOf);
  return {
    contexts: definitions.map(({ name }) => name),
    events: definitions.flatMap(({ name: context, publishes = [] }) =>
      publishes.map((event) => {
        checkUpcasters(event);
        return { context, event, handlers: handlings.filter(({ type }) => type === event.type).map(({ reader, handler }) => ({ reader, handler })) };
      }),
    ),
    messages: definitions.flatMap(({ name: context, commands = [], queries = [] }) => [
      ...commands.map((handler) => ({ context, kind: 'command' as const, message: handledMessage(handler, 'command') })),
      ...queries.map((handler) => ({ context, kind: 'query' as const, message: handledMessage(handler, 'query') })),
    ]),
  };
}

function definitionOf(module: Type): ContextDefinition {
  const definition = contextDefinitionOf(module);
  if (!definition) throw new UsageError(`${module.name} is not the module of a context.`, 'pass classes with @ContextModule.');
  return definition;
}

function handlingsOf({ name, subscribers = [], projections = [] }: ContextDefinition): { type: string; reader: string; handler: string }[] {
  const readers = [{ reader: name, subscribers }, ...projections.map((projection) => ({ reader: `${name}.${projection.name}`, subscribers: projection.subscribers }))];
  return readers.flatMap(({ reader, subscribers: handlers }) => handlers.flatMap((handler) => handledEvents(handler).map(({ type }) => ({ type, reader, handler: handler.name }))));
}
