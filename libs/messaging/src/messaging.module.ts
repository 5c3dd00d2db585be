import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { currentMessage, DEFAULT_TENANT, type SettingValues, uuidv7, withMessage } from '@nestbox/kernel';
import { ContextCommandBus, ContextQueryBus } from './buses.js';
import { Dispatcher } from './dispatcher.js';
import { Engine, localDatabase, type SourceFilter } from './engine.js';
import { NatsBroker } from './nats/broker.js';
import { kindOf, operationMessage } from './operations/operations.js';
import { type Ask, Operator } from './operations/operator.js';
import { MessageRegistry } from './registry.js';
import type { RetentionOptions } from './retention.js';
import type { messagingSettings } from './settings.js';
import type { ServiceTopology } from './topology.js';
import { InProcessTransport } from './transport.js';
import { LocalWakeUps } from './wake-ups.js';

export interface MessagingOptions {
  readonly topology: ServiceTopology;
  readonly settings: SettingValues<typeof messagingSettings>;
  /** For tests: what stands between every reader and its source. */
  readonly throughSource?: SourceFilter;
  /** Every context of the application, wherever it runs, for those who look after all of them. Default: those of this process. */
  readonly contexts?: readonly string[];
}

const HOUR_MS = 3_600_000;
/** What people ask for may take longer than a command: a story is looked for in a whole outbox. */
const OPERATION_TIMEOUT_MS = 30_000;

/** The broker of this process; null when everything happens inside it. */
const BROKER = Symbol('nestbox:broker');

/** The buses and the engine of one process. Global: context modules need not import it. */
@Global()
@Module({})
export class MessagingModule {
  static forRoot({ topology, settings, contexts = topology.contexts, throughSource }: MessagingOptions): DynamicModule {
    return {
      module: MessagingModule,
      providers: [
        MessageRegistry,
        { provide: BROKER, useFactory: () => (topology.events === 'nats' ? new NatsBroker(settings, topology.service) : null) },
        {
          provide: Dispatcher,
          inject: [MessageRegistry, BROKER],
          useFactory: (registry: MessageRegistry, broker: NatsBroker | null) => new Dispatcher(registry, broker?.client, { timeoutMs: settings.REMOTE_TIMEOUT_MS, keepKeysMs: settings.IDEMPOTENCY_KEY_HOURS * HOUR_MS }),
        },
        { provide: CommandBus, inject: [ModuleRef, Dispatcher], useFactory: (ref: ModuleRef, dispatcher: Dispatcher) => new ContextCommandBus(ref, dispatcher) },
        { provide: QueryBus, inject: [ModuleRef, Dispatcher], useFactory: (ref: ModuleRef, dispatcher: Dispatcher) => new ContextQueryBus(ref, dispatcher) },
        {
          provide: Engine,
          inject: [MessageRegistry, BROKER, Dispatcher, Operator],
          useFactory: (registry: MessageRegistry, broker: NatsBroker | null, dispatcher: Dispatcher, operator: Operator) => {
            const retention = { ...retentionOf(topology, settings), readersOf: (source: string) => operator.readersOf(source) };
            const { HANDLER_STALL_MAX_MS: stallMaxMs } = settings;
            if (broker) {
              const { transport, wakeUps } = broker;
              const entrance = topology.entrypoints.includes('nats') ? { entrance: broker.entrance(registry, dispatcher) } : {};
              return new Engine({ registry, transport, wakeUps, throughSource, stallMaxMs, retention, ...entrance, close: () => broker.close() });
            }
            const wakeUps = new LocalWakeUps();
            return new Engine({ registry, wakeUps, throughSource, stallMaxMs, retention, transport: new InProcessTransport((context) => localDatabase(registry, context), wakeUps) });
          },
        },
        {
          provide: Operator,
          inject: [Dispatcher, BROKER],
          useFactory: (dispatcher: Dispatcher, broker: NatsBroker | null) => new Operator(contexts, askThrough(dispatcher), broker?.inspector),
        },
      ],
      exports: [CommandBus, QueryBus, Engine, MessageRegistry, Operator],
    };
  }
}

/** A stream that was lost is filled again from the outbox, so events stay there at least as long as in the stream. */
function retentionOf(topology: ServiceTopology, settings: MessagingOptions['settings']): Pick<RetentionOptions, 'keepMs' | 'keepKeysMs' | 'alarmMs'> {
  const { OUTBOX_RETENTION_DAYS: outbox, EVENT_RETENTION_DAYS: stream, READER_ALARM_HOURS: alarm, IDEMPOTENCY_KEY_HOURS: keys } = settings;
  const days = topology.events === 'nats' ? Math.max(outbox, stream) : outbox;
  return { keepMs: days * 24 * HOUR_MS, keepKeysMs: keys * HOUR_MS, alarmMs: alarm * HOUR_MS };
}

/** Operations reach a context like its commands and queries. */
function askThrough(dispatcher: Dispatcher): Ask {
  return async (context, operation, args) => {
    const kind = kindOf(operation);
    const message = Object.assign(new (operationMessage(context, kind))(), { operation, args: args ?? {} });
    const asking = currentMessage() ?? { correlationId: uuidv7(), tenantId: DEFAULT_TENANT };
    const asked = withMessage({ deadline: Date.now() + OPERATION_TIMEOUT_MS, ...asking }, () => dispatcher.dispatch(kind, message));
    return (await asked) as never;
  };
}
