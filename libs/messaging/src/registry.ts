import type { Type } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { type DomainEventClass, errorCatalogue, UsageError } from '@nestbox/kernel';
import { type ContextDatabase, databaseToken } from '@nestbox/persistence';
import { checkPermission } from './access.js';
import { type ContextDefinition, contextDefinitionOf, contextErrors } from './context-module.js';
import type { EventHandler } from './handlers.js';
import { operate, operationMessage, OPERATIONS, type OperationMessage } from './operations/operations.js';
import { checkType, contextOfType, handledEvents, handledMessage, type MessageClass } from './message-types.js';
import { checkUpcasters } from './upcast.js';

/** A command or query that this process can answer itself. */
export interface LocalMessage {
  readonly kind: 'command' | 'query';
  readonly message: MessageClass;
  readonly handler: Type;
  readonly db: ContextDatabase;
  execute(message: object): Promise<unknown>;
}

/** A reader to run: who reads, and what its handlers are. */
export interface ReaderDefinition {
  readonly reader: string;
  readonly db: ContextDatabase;
  readonly handlers: readonly EventHandler[];
}

/** A context that lives in this process. */
export interface LocalContext {
  readonly definition: ContextDefinition;
  readonly db: ContextDatabase;
  readonly publishes: ReadonlySet<DomainEventClass>;
  readonly readers: readonly ReaderDefinition[];
}

/**
 * Who handles what in this process: built once from the context modules, and strict: whatever would make messages go
 * astray later stops the start now, with the place and the cure.
 */
export class MessageRegistry {
  private readonly byType = new Map<string, LocalMessage>();
  private readonly eventsByType = new Map<string, DomainEventClass>();
  private built: readonly LocalContext[] | undefined;

  /** @param enforceAccess whether every command and query must say who may ask for it */
  constructor(private readonly moduleRef: ModuleRef, private readonly modules: ModulesContainer, private readonly enforceAccess: boolean) {}

  /** The contexts of this process. */
  get contexts(): readonly LocalContext[] {
    this.built ??= this.definitions().map((definition) => this.build(definition));
    return this.built;
  }

  /** Closes the databases of all contexts; for a start that is given up half-way. */
  async close(): Promise<void> {
    await Promise.all(this.definitions().map(({ name }) => this.databaseOf(name).close()));
  }

  /** The handler of a command or query type, if it is in this process. */
  find(type: string): LocalMessage | undefined {
    void this.contexts;
    return this.byType.get(type);
  }

  /** All commands and queries of this process. */
  get messages(): readonly LocalMessage[] {
    void this.contexts;
    return [...this.byType.values()];
  }

  private definitions(): ContextDefinition[] {
    return [...this.modules.values()].map((module) => contextDefinitionOf(module.metatype)).filter((definition) => definition !== undefined);
  }

  private databaseOf(context: string): ContextDatabase {
    return this.moduleRef.get(databaseToken(context), { strict: false });
  }

  private build(definition: ContextDefinition): LocalContext {
    const { name } = definition;
    const db = this.databaseOf(name);
    this.addOperations(definition, db);
    errorCatalogue(contextErrors(definition));
    for (const kind of ['command', 'query'] as const) {
      for (const handler of definition[kind === 'command' ? 'commands' : 'queries'] ?? []) this.addMessage(kind, handler, name, db);
    }
    for (const event of definition.publishes ?? []) {
      checkType(event, `The event ${event.name}, which "${name}" publishes,`);
      if (contextOfType(event.type) !== name) throw new UsageError(`The context "${name}" publishes ${event.name} under the name "${event.type}".`, `a context publishes its own events only: begin the name with "${name}.".`);
      this.addEvent(event, `published by "${name}"`);
    }
    const readers = [
      { reader: name, subscribers: definition.subscribers ?? [] },
      ...(definition.projections ?? []).map(({ name: projection, subscribers }) => ({ reader: `${name}.${projection}`, subscribers })),
    ];
    return {
      definition,
      db,
      publishes: new Set(definition.publishes ?? []),
      readers: readers.filter(({ subscribers }) => subscribers.length > 0).map(({ reader, subscribers }) => ({ reader, db, handlers: this.handlers(reader, subscribers) })),
    };
  }

  /** What people look after the context with comes in as messages, too, because they need not know in which process it is. */
  private addOperations(definition: ContextDefinition, db: ContextDatabase): void {
    for (const kind of Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]) {
      const message = operationMessage(definition.name, kind);
      const execute = async (asked: object) => {
        const { operation, args } = asked as OperationMessage;
        return operate({ definition, db }, operation, args as never);
      };
      this.byType.set(message.type, { kind, message, handler: MessageRegistry, db, execute });
    }
  }

  private addMessage(kind: 'command' | 'query', handler: Type, context: string, db: ContextDatabase): void {
    const message = handledMessage(handler, kind);
    if (contextOfType(message.type) !== context) {
      throw new UsageError(`${handler.name} of the context "${context}" handles "${message.type}".`, `move the handler to the module of "${contextOfType(message.type)}", or begin the name with "${context}.".`);
    }
    if (this.enforceAccess) checkPermission(message);
    const other = this.byType.get(message.type);
    if (other) {
      throw new UsageError(
        `Two handlers claim "${message.type}": ${other.handler.name} (for ${other.message.name}) and ${handler.name} (for ${message.name}).`,
        'a command or query has exactly one handler: remove one, or give one of the classes another name.',
      );
    }
    const instance = this.moduleRef.get<{ execute(message: object): Promise<unknown> }>(handler, { strict: false });
    this.byType.set(message.type, { kind, message, handler, db, execute: async (object) => instance.execute(object) });
  }

  private addEvent(event: DomainEventClass, where: string): void {
    const other = this.eventsByType.get(event.type);
    if (other && other !== event) throw new UsageError(`Two event classes are named "${event.type}": ${other.name}, and ${event.name} (${where}).`, 'give one of them another name; a name stands for one shape.');
    checkUpcasters(event);
    this.eventsByType.set(event.type, event);
  }

  private handlers(reader: string, subscribers: readonly Type[]): EventHandler[] {
    const names = new Set<string>();
    return subscribers.map((subscriber) => {
      if (names.has(subscriber.name)) throw new UsageError(`"${reader}" has two subscribers named ${subscriber.name}.`, 'rename one: the name is kept with events that wait for the handler.');
      names.add(subscriber.name);
      const events = handledEvents(subscriber);
      for (const event of events) this.addEvent(event, `handled by ${subscriber.name}`);
      const instance = this.moduleRef.get<{ handle(event: object): Promise<unknown> }>(subscriber, { strict: false });
      return { name: subscriber.name, events: new Map(events.map((event) => [event.type, event])), handle: (event) => instance.handle(event) };
    });
  }
}
