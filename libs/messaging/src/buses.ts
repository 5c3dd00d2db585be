import type { ModuleRef } from '@nestjs/core';
import { CommandBus, type ICommand, type IQuery, QueryBus } from '@nestjs/cqrs';
import type { Dispatcher } from './dispatcher.js';

/** Nest's command bus, with a unit of work around every command, and other processes within reach. */
export class ContextCommandBus extends CommandBus {
  constructor(moduleRef: ModuleRef, private readonly dispatcher: Dispatcher) {
    super(moduleRef);
  }

  override execute<T extends ICommand, R = unknown>(command: T): Promise<R> {
    return this.dispatcher.dispatch('command', command) as Promise<R>;
  }
}

/** Nest's query bus, with a read-only transaction around every query, and other processes within reach. */
export class ContextQueryBus extends QueryBus {
  constructor(moduleRef: ModuleRef, private readonly dispatcher: Dispatcher) {
    super(moduleRef);
  }

  override execute<T extends IQuery, R = unknown>(query: T): Promise<R> {
    return this.dispatcher.dispatch('query', query) as Promise<R>;
  }
}
