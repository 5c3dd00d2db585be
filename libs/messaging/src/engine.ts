import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { UsageError } from '@nestbox/kernel';
import type { ContextDatabase } from '@nestbox/persistence';
import { LaneReader } from './lane-reader.js';
import { Leases } from './leases.js';
import { contextOfType } from './message-types.js';
import { Outbox } from './outbox.js';
import type { LocalContext, MessageRegistry, ReaderDefinition } from './registry.js';
import { PostgresRelayLog } from './relay-log-postgres.js';
import { Sequencer } from './sequencer.js';
import type { EventTransport, Running } from './transport.js';
import type { WakeUps } from './wake-ups.js';

/** What runs in this process, for health and for people. */
export interface EngineState {
  readonly readers: readonly { readonly name: string; readonly lanes: readonly number[] }[];
  readonly transport: 'up' | 'down';
  /** What keeps events from travelling, for people. */
  readonly problems: readonly string[];
}

/** What an engine works with. */
export interface EngineParts {
  readonly registry: MessageRegistry;
  readonly transport: EventTransport;
  readonly wakeUps: WakeUps;
  /** Takes requests from other processes; it opens last and closes first. */
  readonly entrance?: Running;
  /** Ends what all the parts share, once they have stopped. */
  readonly close?: () => Promise<void>;
}

/**
 * Runs what keeps the promises about events: per context a sequencer, a relay if there is a broker, and its readers.
 * It starts with the application and stops, after the last request, before the databases are closed.
 */
export class Engine implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('messaging');
  private readonly leases = new Leases();
  private readonly readers: LaneReader[] = [];
  private readonly running: Running[] = [];
  private stopped: Promise<void> | undefined;

  private readonly registry: MessageRegistry;
  private readonly transport: EventTransport;
  private readonly wakeUps: WakeUps;

  constructor(private readonly parts: EngineParts) {
    ({ registry: this.registry, transport: this.transport, wakeUps: this.wakeUps } = parts);
  }

  /** Checks everything that is declared, before anything runs. */
  async onModuleInit(): Promise<void> {
    try {
      for (const { db, publishes } of this.registry.contexts) {
        db.outbox = new Outbox(db, publishes, () => this.wakeUps.poke(`commit.${db.context}`));
        db.beforeClose(() => this.stop());
      }
    } catch (error) {
      await this.registry.close();
      throw error;
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.run(this.transport);
    for (const context of this.registry.contexts) await this.startContext(context);
    // Readers last: what they read is running by now.
    for (const context of this.registry.contexts) for (const reader of context.readers) await this.startReader(reader);
    // Not waited for: while the broker is away, this process answers for its health and what it can do alone.
    this.parts.entrance?.start().catch((error: unknown) => this.logger.error(`Requests of other processes are not taken: ${(error as Error).message}`));
  }

  onApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /** Finishes what is in progress and gives everything back, so that another process can take over at once. */
  stop(): Promise<void> {
    this.stopped ??= (async () => {
      await this.parts.entrance?.stop();
      await Promise.all(this.readers.map((reader) => reader.stop()));
      for (const part of this.running.toReversed()) await part.stop();
      await this.leases.stop();
      await this.parts.close?.();
    })();
    return this.stopped;
  }

  state(): EngineState {
    return {
      readers: this.readers.map((reader) => ({ name: reader.name, lanes: reader.owned })),
      transport: this.transport.healthy() ? 'up' : 'down',
      problems: this.transport.problems(),
    };
  }

  private async startContext({ db }: LocalContext): Promise<void> {
    const lease = this.leases.of(db);
    await this.run(new Sequencer(db, lease, this.wakeUps, this.logger));
    const relay = this.transport.relay(new PostgresRelayLog(db, lease, this.wakeUps));
    if (relay) await this.run(relay);
  }

  private async startReader({ reader, db, handlers }: ReaderDefinition): Promise<void> {
    const sources = new Set(handlers.flatMap((handler) => [...handler.events.keys()].map(contextOfType)));
    for (const source of sources) {
      const concerned = handlers.filter((handler) => [...handler.events.keys()].some((type) => contextOfType(type) === source));
      const laneReader = new LaneReader({ reader, db, source: this.transport.source(source), handlers: concerned, lease: this.leases.of(db), logger: this.logger });
      this.readers.push(laneReader);
      await laneReader.start();
    }
  }

  private async run(part: Running): Promise<void> {
    this.running.push(part);
    await part.start();
  }
}

/** Finds the database of a context of this process. @throws UsageError for a context that is elsewhere */
export function localDatabase(registry: MessageRegistry, context: string): ContextDatabase {
  const found = registry.contexts.find(({ definition }) => definition.name === context);
  if (found) return found.db;
  throw new UsageError(`Events of "${context}" are read in this process, but the context is not in it and no broker is configured.`, `run "${context}" in this service too, or set \`events: nats\` for the service in the topology.`);
}
