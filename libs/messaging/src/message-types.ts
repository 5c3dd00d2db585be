import type { Type } from '@nestjs/common';
import { type DomainEventClass, MESSAGE_TYPE_PATTERN, UsageError } from '@nestbox/kernel';

/** A command or query class: it names itself on the wire, and by that its context. */
export interface MessageClass<M extends object = object> extends Type<M> {
  /** `<context>.<what-to-do>`, for example `ordering.place-order`. */
  readonly type: string;
  /** How long it may take at most, in ms, if that is not what the service's settings say. */
  readonly timeoutMs?: number;
  /** Who may ask for it: whoever has this permission; PUBLIC is everybody. Unset: nobody, where permissions are enforced. */
  readonly permission?: string;
  /** The class of what its handler gives back, for the documents; undefined when nobody has said. */
  readonly reply?: Type;
}

/** The keys under which the decorators of @nestjs/cqrs keep what a class handles. */
const HANDLED = { command: '__commandHandler__', query: '__queryHandler__', events: '__eventsHandler__' } as const;

/** The command or query class that a handler class is for. */
export function handledMessage(handler: Type, kind: 'command' | 'query'): MessageClass {
  const message = Reflect.getMetadata(HANDLED[kind], handler) as MessageClass | undefined;
  const decorator = kind === 'command' ? '@CommandHandler' : '@QueryHandler';
  if (!message) throw new UsageError(`${handler.name} is listed as a ${kind} handler but has no ${decorator}(…).`, `decorate it with ${decorator}(TheMessage) from @nestjs/cqrs.`);
  checkType(message, `The ${kind} ${message.name}`);
  return message;
}

/** The event classes that a handler class is for. */
export function handledEvents(handler: Type): DomainEventClass[] {
  const events = Reflect.getMetadata(HANDLED.events, handler) as DomainEventClass[] | undefined;
  if (!events?.length) throw new UsageError(`${handler.name} is listed as a subscriber but has no @EventsHandler(…).`, 'decorate it with @EventsHandler(TheEvent) from @nestjs/cqrs.');
  for (const event of events) checkType(event, `The event ${event.name}, which ${handler.name} handles,`);
  return events;
}

/** The type of a command or query object. @throws UsageError when its class does not name itself */
export function typeOfMessage(message: object): string {
  const type = message.constructor as MessageClass;
  checkType(type, `The message ${type.name}`);
  return type.type;
}

/** `ordering.place-order` → `ordering` */
export function contextOfType(type: string): string {
  return type.slice(0, type.indexOf('.'));
}

/** @throws UsageError when a message class has no stable name, or one that breaks the rule */
export function checkType(message: { readonly type?: string; readonly name: string }, what: string): void {
  const example = `static readonly type = '<context>.<${'kebab-case-name'}>'`;
  if (typeof message.type !== 'string') throw new UsageError(`${what} has no name for the wire.`, `give the class \`${example}\`.`);
  if (!MESSAGE_TYPE_PATTERN.test(message.type)) {
    throw new UsageError(`${what} is named "${message.type}", which breaks the rule for names.`, `use the context and a kebab-case name, lower-case letters and digits: \`${example}\`.`);
  }
}
