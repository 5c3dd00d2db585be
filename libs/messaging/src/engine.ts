import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { UsageError } from '@nestbox/kernel';
import type { ContextDatabase } from '@nestbox/persistence';
import { LaneReader } from './lane-reader.js';
import { Leases, STALL_MAX_MS } from './leases.js';
import { contextOfType } from './message-types.js';
import { Outbox } from './outbox.js';
import type { LocalContext, MessageRegistry, ReaderDefinition } from './registry.js';
import { forgetRelay, PostgresRelayLog } from './relay-log-postgres.js';
import { describeOverdue, Retention, type RetentionOptions, type RetentionState } from './retention.js';
import { Sequencer } from './sequencer.js';
import { restoredHead } from './sequencer-sql.js';
import { SlowHandlers } from './slow-handlers.js';
import type { EventSource } from './source.js';
import { StallWatch } from './stall-watch.js';
import type { EventTransport, Running } from './transport.js';
import { Turns } from './turns.js';
import type { WakeUps } from './wake-ups.js';

/** What runs in this process, for health and for people. */
export interface EngineState {
  readonly readers: readonly { readonly name: string; readonly lanes: readonly number[] }[];
  readonly transport: 'up' | 'down';
  /** What keeps events from travelling, for people. */
  readonly problems: readonly string[];
  /** What keeps old events, of the contexts whose sequencer runs here. */
  readonly retention: readonly RetentionState[];
}

/** Puts something between a reader and the source it follows. */
export type SourceFilter = (reader: string, source: EventSource) => EventSource;

/** What an engine works with. */
export interface EngineParts {
  readonly registry: MessageRegistry;
  readonly transport: EventTransport;
  readonly wakeUps: WakeUps;
  /** Takes requests from other processes; it opens last and closes first. */
  readonly entrance?: Running;
  /** Stands between a reader and what it follows; tests put faults there. */
  readonly throughSource?: SourceFilter | undefined;
  /** How long events are kept, and for whom. */
  readonly retention: Pick<RetentionOptions, 'keepMs' | 'keepKeysMs' | 'alarmMs'> & { readonly readersOf: (source: string) => ReturnType<RetentionOptions['readers']> };
  /** A process whose event loop has stood still for so long, in ms, counts as dead. Default 10,000. */
  readonly stallMaxMs?: number | undefined;
  /** Ends what all the parts share, once they have stopped. */
  readonly close?: () => Promise<void>;
}

/**
 * Runs what keeps the promises about events: per context a sequencer, a relay if there is a broker, and its readers.
 * It starts with the application and stops, after the last request, before the databases are closed.
 */
export class Engine implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('messaging');
  private readonly leases: Leases;
  private readonly stalls: StallWatch;
  private readonly turns = new Turns();
  private readonly slowHandlers = new SlowHandlers((message) => this.logger.warn(message));
  private readonly readers: LaneReader[] = [];
  private readonly running: Running[] = [];
  private readonly retentions: Retention[] = [];
  private stopped: Promise<void> | undefined;

  private readonly registry: MessageRegistry;
  private readonly transport: EventTransport;
  private readonly wakeUps: WakeUps;

  constructor(private readonly parts: EngineParts) {
    ({ registry: this.registry, transport: this.transport, wakeUps: this.wakeUps } = parts);
    const { stallMaxMs = STALL_MAX_MS } = parts;
    this.leases = new Leases(stallMaxMs);
    this.stalls = new StallWatch(stallMaxMs, (message) => this.logger.warn(message));
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
    for (const context of this.registry.contexts) await this.admit(context);
    for (const context of this.registry.contexts) await this.startContext(context);
    this.stalls.start();
    // Readers last: what they read is running by now.
    for (const context of this.registry.contexts) for (const reader of context.readers) await this.startReader(reader);
    for (const retention of this.retentions) await this.run(retention);
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
      await this.stalls.stop();
      await this.leases.stop();
      await this.parts.close?.();
    })();
    return this.stopped;
  }

  /** Does not wait for the next heartbeat to find what is due, asked for or unannounced. */
  look(): void {
    this.leases.ask();
  }

  state(): EngineState {
    const retention = this.retentions.flatMap(({ state }) => state ?? []);
    return {
      readers: this.readers.map((reader) => ({ name: reader.name, lanes: reader.owned })),
      transport: this.transport.healthy() ? 'up' : 'down',
      problems: [...this.transport.problems(), ...retention.flatMap(({ context, overdue }) => overdue.map((reader) => describeOverdue(context, reader)))],
      retention,
    };
  }

  /** Drops the old events that may go, now instead of at the next look. */
  async dropOldEvents(): Promise<void> {
    for (const retention of this.retentions) await retention.look();
  }

  private async admit({ db }: LocalContext): Promise<void> {
    const head = await restoredHead(db);
    if (head !== undefined) await this.transport.admit?.(db.context, head);
  }

  private async startContext({ db }: LocalContext): Promise<void> {
    const lease = this.leases.of(db);
    const fresh = this.transport.fresh(db.context);
    await this.run(new Sequencer(db, lease, this.wakeUps, this.logger, fresh));
    const relay = this.transport.relay(new PostgresRelayLog(db, lease, this.wakeUps, fresh));
    if (relay) await this.run(relay);
    else await forgetRelay(db);
    const { readersOf, ...times } = this.parts.retention;
    this.retentions.push(new Retention({ db, lease, logger: this.logger, ...times, relayed: relay !== undefined, readers: () => readersOf(db.context) }));
  }

  private async startReader({ reader, db, handlers }: ReaderDefinition): Promise<void> {
    const { throughSource = (_: string, source: EventSource) => source } = this.parts;
    const sources = new Set(handlers.flatMap((handler) => [...handler.events.keys()].map(contextOfType)));
    for (const source of sources) {
      const concerned = handlers.filter((handler) => [...handler.events.keys()].some((type) => contextOfType(type) === source));
      const laneReader = new LaneReader({ reader, db, source: throughSource(reader, this.transport.source(source)), handlers: concerned, lease: this.leases.of(db), place: this.readers.length, stalls: this.stalls, turns: this.turns, slowHandlers: this.slowHandlers, logger: this.logger });
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
