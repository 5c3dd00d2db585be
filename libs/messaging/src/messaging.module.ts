import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { SettingValues } from '@nestbox/kernel';
import { ContextCommandBus, ContextQueryBus } from './buses.js';
import { Dispatcher } from './dispatcher.js';
import { Engine, localDatabase } from './engine.js';
import { MessageRegistry } from './registry.js';
import type { messagingSettings } from './settings.js';
import type { ServiceTopology } from './topology.js';
import { type EventTransport, InProcessTransport } from './transport.js';
import { LocalWakeUps, WakeUps } from './wake-ups.js';

export interface MessagingOptions {
  readonly topology: ServiceTopology;
  readonly settings: SettingValues<typeof messagingSettings>;
}

const TRANSPORT = Symbol('nestbox:event-transport');

/** The buses and the engine of one process. Global: context modules need not import it. */
@Global()
@Module({})
export class MessagingModule {
  static forRoot({ settings }: MessagingOptions): DynamicModule {
    return {
      module: MessagingModule,
      providers: [
        MessageRegistry,
        { provide: WakeUps, useClass: LocalWakeUps },
        {
          provide: TRANSPORT,
          inject: [MessageRegistry, WakeUps],
          useFactory: (registry: MessageRegistry, wakeUps: WakeUps) => new InProcessTransport((context) => localDatabase(registry, context), wakeUps),
        },
        {
          provide: Dispatcher,
          inject: [MessageRegistry],
          useFactory: (registry: MessageRegistry) => new Dispatcher(registry, undefined, settings.REMOTE_TIMEOUT_MS),
        },
        { provide: CommandBus, inject: [ModuleRef, Dispatcher], useFactory: (ref: ModuleRef, dispatcher: Dispatcher) => new ContextCommandBus(ref, dispatcher) },
        { provide: QueryBus, inject: [ModuleRef, Dispatcher], useFactory: (ref: ModuleRef, dispatcher: Dispatcher) => new ContextQueryBus(ref, dispatcher) },
        {
          provide: Engine,
          inject: [MessageRegistry, TRANSPORT, WakeUps],
          useFactory: (registry: MessageRegistry, transport: EventTransport, wakeUps: WakeUps) => new Engine(registry, transport, wakeUps),
        },
      ],
      exports: [CommandBus, QueryBus, Engine, MessageRegistry],
    };
  }
}
