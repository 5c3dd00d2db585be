import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { asSystem, currentMessage, type SettingValues, withMessage } from '@nestbox/kernel';
import { ContextCommandBus, ContextQueryBus } from './buses.js';
import { Dispatcher } from './dispatcher.js';
import { Engine, localDatabase, type SourceFilter } from './engine.js';
import { NatsBroker } from './nats/broker.js';
import { RequestSeal } from './nats/request-seal.js';
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
  /**
   * `enforced` (the default): a command or query is done only for callers who have its permission, every message class must say which,
   * and requests over NATS are signed. `open`: for tests and tools, everybody may do everything.
   */
  readonly access?: 'enforced' | 'open';
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
  static forRoot({ topology, settings, contexts = topology.contexts, throughSource, access = 'enforced' }: MessagingOptions): DynamicModule {
    const enforceAccess = access === 'enforced';
    // Now: what is missing should stop the start before anything is opened.
    const seal = enforceAccess && topology.events === 'nats' ? new RequestSeal(settings.SERVICE_KEY) : undefined;
    return {
      module: MessagingModule,
      providers: [
        { provide: MessageRegistry, inject: [ModuleRef, ModulesContainer], useFactory: (ref: ModuleRef, modules: ModulesContainer) => new MessageRegistry(ref, modules, enforceAccess) },
        { provide: BROKER, useFactory: () => (topology.events === 'nats' ? new NatsBroker(settings, topology.service, seal) : null) },
        {
          provide: Dispatcher,
          inject: [MessageRegistry, BROKER],
          useFactory: (registry: MessageRegistry, broker: NatsBroker | null) => new Dispatcher(registry, broker?.client, { timeoutMs: settings.REMOTE_TIMEOUT_MS, keepKeysMs: settings.IDEMPOTENCY_KEY_HOURS * HOUR_MS, enforceAccess }),
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
    const ask = () => withMessage({ deadline: Date.now() + OPERATION_TIMEOUT_MS, ...currentMessage()! }, () => dispatcher.dispatch(kind, message));
    // Without a message around it, it is a part of the process that asks: its engine, its metrics, or the command line.
    const asked = currentMessage() ? ask() : asSystem(ask);
    return (await asked) as never;
  };
}
