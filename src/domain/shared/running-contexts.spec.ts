import 'reflect-metadata';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { MessagingModule } from '@nestbox/messaging';
import { type ContextDatabase, databaseToken, PersistenceModule, UnitOfWork } from '@nestbox/persistence';
import { createTestDatabase, settled, type TestDatabase, type TrackedSession, trackSession } from '@nestbox/testing';
import { contexts } from '../../contexts.js';

type ContextName = keyof typeof contexts;

/** Who follows whom. */
const READERS: readonly { readonly reader: string; readonly at: ContextName; readonly sources: readonly ContextName[] }[] = [
  { reader: 'ordering', at: 'ordering', sources: ['inventory', 'billing'] },
  { reader: 'inventory', at: 'inventory', sources: ['ordering', 'billing'] },
  { reader: 'billing', at: 'billing', sources: ['ordering', 'inventory'] },
  { reader: 'reporting.sales-report', at: 'reporting', sources: ['ordering'] },
];

/** All contexts in this process, on a database of their own. */
export class RunningContexts {
  private constructor(private readonly app: INestApplicationContext, private readonly database: TestDatabase) {}

  static async start(): Promise<RunningContexts> {
    const database = await createTestDatabase();
    const names = Object.keys(contexts) as ContextName[];
    const root = {
      module: class Application {},
      imports: [
        PersistenceModule.forRoot({ urlOf: () => database.url, migrate: true }),
        MessagingModule.forRoot({
          topology: { service: 'all', contexts: names, entrypoints: [], events: 'in-process', instances: 1 },
          settings: { SERVICE: 'all', TOPOLOGY_FILE: '', NATS_URL: '', NATS_NAMESPACE: '', REMOTE_TIMEOUT_MS: 5_000, EVENT_RETENTION_DAYS: 7 },
        }),
        ...Object.values(contexts),
      ],
    };
    const app = await NestFactory.createApplicationContext(root, { logger: ['error', 'warn'], abortOnError: false });
    return new RunningContexts(app, database);
  }

  get commands(): CommandBus {
    return this.app.get(CommandBus);
  }

  get queries(): QueryBus {
    return this.app.get(QueryBus);
  }

  db(context: ContextName): ContextDatabase {
    return this.app.get<ContextDatabase>(databaseToken(context), { strict: false });
  }

  /** Runs a command and waits for everything that it leads to. */
  track<R>(command: object): Promise<TrackedSession<R>> {
    return trackSession<R>(this.app, command);
  }

  /** Waits until every event, and every event that followed from it, is handled. */
  settled(): Promise<void> {
    const readers = READERS.flatMap(({ reader, at, sources }) => sources.map((source) => ({ reader, db: this.db(at), source: this.db(source) })));
    return settled((Object.keys(contexts) as ContextName[]).map((name) => this.db(name)), readers);
  }

  /** Hands events to a handler of a context, out of turn, together in one transaction, as the engine does with a batch. */
  async deliver<E>(context: ContextName, handler: Type<{ handle(event: E): Promise<void> }>, ...events: E[]): Promise<void> {
    const instance = this.app.get(handler, { strict: false });
    const db = this.db(context);
    const unit = UnitOfWork.within(db, await db.begin());
    try {
      await unit.scope(() => Promise.all(events.map((event) => instance.handle(event))));
      await unit.commit();
    } finally {
      await unit.end();
    }
  }

  /** Types and payloads of the events that a context has committed about an aggregate, oldest first. */
  async eventsOf(context: ContextName, aggregateId: string): Promise<{ type: string; payload: Record<string, unknown> }[]> {
    const { rows } = await this.db(context).query<{ type: string; payload: Record<string, unknown> }>(
      `select type, payload from "${context}".outbox where aggregate_id = $1 order by position`,
      [aggregateId],
    );
    return rows;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.drop();
  }
}
