import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { SettingValues } from '@nestbox/kernel';
import { ContextCommandBus, ContextQueryBus } from './buses.js';
import { Dispatcher } from './dispatcher.js';
import { Engine, localDatabase } from './engine.js';
import { NatsBroker } from './nats/broker.js';
import { MessageRegistry } from './registry.js';
import type { messagingSettings } from './settings.js';
import type { ServiceTopology } from './topology.js';
import { InProcessTransport } from './transport.js';
import { LocalWakeUps } from './wake-ups.js';

export interface MessagingOptions {
  readonly topology: ServiceTopology;
  readonly settings: SettingValues<typeof messagingSettings>;
}

/** The broker of this process; null when everything happens inside it. */
const BROKER = Symbol('nestbox:broker');

/** The buses and the engine of one process. Global: context modules need not import it. */
@Global()
@Module({})
export class MessagingModule {
  static forRoot({ topology, settings }: MessagingOptions): DynamicModule {
    return {
      module: MessagingModule,
      providers: [
        MessageRegistry,
        { provide: BROKER, useFactory: () => (topology.events === 'nats' ? new NatsBroker(settings, topology.service) : null) },
        {
          provide: Dispatcher,
          inject: [MessageRegistry, BROKER],
          useFactory: (registry: MessageRegistry, broker: NatsBroker | null) => new Dispatcher(registry, broker?.client, settings.REMOTE_TIMEOUT_MS),
        },
        { provide: CommandBus, inject: [ModuleRef, Dispatcher], useFactory: (ref: ModuleRef, dispatcher: Dispatcher) => new ContextCommandBus(ref, dispatcher) },
        { provide: QueryBus, inject: [ModuleRef, Dispatcher], useFactory: (ref: ModuleRef, dispatcher: Dispatcher) => new ContextQueryBus(ref, dispatcher) },
        {
          provide: Engine,
          inject: [MessageRegistry, BROKER, Dispatcher],
          useFactory: (registry: MessageRegistry, broker: NatsBroker | null, dispatcher: Dispatcher) => {
            if (broker) {
              const { transport, wakeUps } = broker;
              const entrance = topology.entrypoints.includes('nats') ? { entrance: broker.entrance(registry, dispatcher) } : {};
              return new Engine({ registry, transport, wakeUps, ...entrance, close: () => broker.close() });
            }
            const wakeUps = new LocalWakeUps();
            return new Engine({ registry, wakeUps, transport: new InProcessTransport((context) => localDatabase(registry, context), wakeUps) });
          },
        },
      ],
      exports: [CommandBus, QueryBus, Engine, MessageRegistry],
    };
  }
}
