import { ConsoleLogger, type INestApplicationContext, type InjectionToken, type Type } from '@nestjs/common';
import { type Command, CommandBus, QueryBus } from '@nestjs/cqrs';
import { Test } from '@nestjs/testing';
import { Clock, type DomainEvent, type SettingValues, UsageError } from '@nestbox/kernel';
import { type ContextDefinition, contextDefinitionOf, contextOfType, MessageRegistry, MessagingModule, type messagingSettings, type ReaderDefinition, type ServiceTopology } from '@nestbox/messaging';
import { type ContextDatabase, databaseToken, PersistenceModule, UnitOfWork } from '@nestbox/persistence';
import { FaultySource, HandlerFaults } from './handler-faults.js';
import { passTime } from './pass-time.js';
import { settled } from './settled.js';
import { TestClock } from './test-clock.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';
import { dropStreams, ownNamespace } from './test-streams.js';
import { type TrackedSession, trackSession } from './tracked-session.js';

export interface TestApplicationOptions {
  /** A database that somebody else drops; the application is then one more instance on it. Default: one of its own. */
  readonly database?: TestDatabase;
  /** Default: one process, no broker. With `events: 'nats'` it uses the NATS that `TEST_NATS_URL` names. */
  readonly topology?: Partial<ServiceTopology>;
  readonly settings?: Partial<SettingValues<typeof messagingSettings>>;
  /** `enforced`: callers need the permissions that messages ask for, as in production. Default: `open`. */
  readonly access?: 'enforced' | 'open';
  /** Providers to replace, such as a gateway to the outside: their tokens and the values instead. */
  readonly replace?: ReadonlyMap<InjectionToken, unknown>;
  /** What the clock says until it is moved. Default: the time of the start. */
  readonly now?: Date;
}

type EventHandlerClass<E> = Type<{ handle(event: E): unknown }>;

/**
 * Contexts that run in the process of a test, with their engine, on a database of their own.
 *
 * ```ts
 * const app = await TestApplication.start([OrderingModule, InventoryModule]);
 * const { result, events } = await app.execute(new PlaceOrder(…));
 * await app.stop();
 * ```
 */
export class TestApplication {
  /** What the application takes for the time. It stands still until it is moved. */
  readonly clock: TestClock;
  private nest!: INestApplicationContext;
  private readonly faultsOf = new Map<string, HandlerFaults[]>();
  /** Of the streams that stop with this application; undefined when somebody else has named them, or there are none. */
  private namespace: string | undefined;

  private constructor(readonly database: TestDatabase, private readonly ownsDatabase: boolean, now: Date) {
    this.clock = new TestClock(now, (ms) => passTime(this.databases, ms));
  }

  /**
   * Starts these `@ContextModule`s.
   * @throws what a start of the application would throw
   */
  static async start(contexts: readonly Type[], options: TestApplicationOptions = {}): Promise<TestApplication> {
    const database = options.database ?? (await createTestDatabase());
    const app = new TestApplication(database, !options.database, options.now ?? new Date());
    try {
      await app.startNest(contexts, options);
    } catch (error) {
      if (!options.database) await database.drop();
      throw error;
    }
    return app;
  }

  get commands(): CommandBus {
    return this.nest.get(CommandBus);
  }

  get queries(): QueryBus {
    return this.nest.get(QueryBus);
  }

  /** A provider of the application, wherever it is. */
  get<T>(token: InjectionToken<T>): T {
    return this.nest.get<T>(token, { strict: false });
  }

  db(context: string): ContextDatabase {
    return this.get(databaseToken(context));
  }

  /** Runs a command, for the tenant of the message around it if there is one, and waits for everything that it leads to. @throws what the command throws */
  execute<R>(command: Command<R>): Promise<TrackedSession<R>> {
    return trackSession<R>(this.nest, command);
  }

  /** Waits until everything committed so far, and what that leads to, is handled, or in trouble. */
  settled(): Promise<void> {
    return settled(this.databases, this.readers.flatMap((reader) => this.sourcesOf(reader).map((source) => ({ reader: reader.reader, db: reader.db, source }))));
  }

  /** Lets things go wrong around one event handler from now on: see {@link HandlerFaults}. */
  faults<E extends DomainEvent>(handler: EventHandlerClass<E>): HandlerFaults<E> {
    const { reader, handlers } = this.readerOf(handler);
    const { events } = handlers.find(({ name }) => name === handler.name)!;
    const faults = new HandlerFaults<E>(events, this.get(handler));
    this.faultsOf.set(reader, [...(this.faultsOf.get(reader) ?? []), faults as unknown as HandlerFaults]);
    return faults;
  }

  /** Hands events to a handler out of turn, together in one transaction, as the engine does with a batch. */
  async deliver<E>(handler: EventHandlerClass<E>, ...events: readonly E[]): Promise<void> {
    const { db } = this.readerOf(handler);
    const instance = this.get(handler);
    const unit = UnitOfWork.within(db, await db.begin());
    try {
      await unit.scope(() => Promise.all(events.map(async (event) => instance.handle(event))));
      await unit.commit();
    } finally {
      await unit.end();
    }
  }

  /** Types and payloads of the events that a context has committed about an aggregate, oldest first. */
  async eventsOf(context: string, aggregateId: string): Promise<{ type: string; payload: Record<string, unknown> }[]> {
    const { rows } = await this.db(context).query<{ type: string; payload: Record<string, unknown> }>(
      `select type, payload from "${context}".outbox where aggregate_id = $1 order by position`,
      [aggregateId],
    );
    return rows;
  }

  /** Stops the application and drops its database and its streams. @throws when it has left connections open */
  async stop(): Promise<void> {
    await this.nest.close();
    if (this.namespace) await dropStreams(this.namespace);
    if (this.ownsDatabase) await this.database.drop();
  }

  private async startNest(contexts: readonly Type[], { topology, settings, access = 'open', replace = new Map() }: TestApplicationOptions): Promise<void> {
    const names = contexts.map((context) => definitionOf(context).name);
    if (topology?.events === 'nats' && !settings?.NATS_NAMESPACE) this.namespace = ownNamespace();
    const building = Test.createTestingModule({
      imports: [
        PersistenceModule.forRoot({ urlOf: () => this.database.url, poolSize: 4, enginePoolSize: 4, migrate: true }),
        MessagingModule.forRoot({
          topology: { service: 'test', contexts: names, entrypoints: [], events: 'in-process', instances: 1, ...topology },
          settings: {
            SERVICE: 'test', TOPOLOGY_FILE: '', NATS_URL: process.env['TEST_NATS_URL'] ?? '', NATS_NAMESPACE: this.namespace ?? '',
            REMOTE_TIMEOUT_MS: 5_000, EVENT_RETENTION_DAYS: 7, OUTBOX_RETENTION_DAYS: 30, READER_ALARM_HOURS: 24, IDEMPOTENCY_KEY_HOURS: 24, ...settings,
          },
          access,
          throughSource: (reader, source) => new FaultySource(source, () => this.faultsOf.get(reader) ?? []),
        }),
        ...contexts,
      ],
    }).setLogger(new ConsoleLogger({ logLevels: ['error', 'warn'] }));
    for (const [token, value] of new Map<InjectionToken, unknown>([[Clock, this.clock], ...replace])) building.overrideProvider(token).useValue(value);
    const nest = await building.compile();
    this.nest = await nest.init();
  }

  private get databases(): ContextDatabase[] {
    return this.get(MessageRegistry).contexts.map(({ db }) => db);
  }

  private get readers(): ReaderDefinition[] {
    return this.get(MessageRegistry).contexts.flatMap(({ readers }) => readers);
  }

  private readerOf(handler: Type): ReaderDefinition {
    const reader = this.readers.find(({ handlers }) => handlers.some(({ name }) => name === handler.name));
    if (reader) return reader;
    throw new UsageError(`${handler.name} handles no events in this application.`, 'list it under `subscribers` of a @ContextModule that the test starts.');
  }

  /** The contexts of this process whose events a reader handles. */
  private sourcesOf({ handlers }: ReaderDefinition): ContextDatabase[] {
    const sources = new Set(handlers.flatMap(({ events }) => [...events.keys()].map(contextOfType)));
    return this.databases.filter(({ context }) => sources.has(context));
  }
}

function definitionOf(module: Type): ContextDefinition {
  const definition = contextDefinitionOf(module);
  if (definition) return definition;
  throw new UsageError(`${module.name} is not the module of a context.`, 'pass classes with @ContextModule; other modules can be imported by them.');
}
