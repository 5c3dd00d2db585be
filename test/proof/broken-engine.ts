import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { type EventSource, type LanePosition, MessagingModule, type SourcedEvent } from '@nestbox/messaging';
import { type ContextDatabase, databaseToken, type OutboxWriter, PersistenceModule } from '@nestbox/persistence';
import type { TestDatabase } from '@nestbox/testing';
import { AuditModule, DeskModule, ShopModule } from './contexts.ts';

/** Turns the events of a lane into what a broken engine would make of them. Numbers come doubled: there is room between two. */
export type Lie = (events: readonly SourcedEvent[]) => SourcedEvent[];

/** The application, with what `lie` makes of the events of `shop` in front of one reader. */
export async function startApplication(database: TestDatabase, reader: string, lie: Lie = (events) => [...events]) {
  const module = await Test.createTestingModule({
    imports: [
      PersistenceModule.forRoot({ urlOf: () => database.url, poolSize: 4, enginePoolSize: 4, migrate: true }),
      MessagingModule.forRoot({
        access: 'open',
        topology: { service: 'all', contexts: ['shop', 'desk', 'audit'], entrypoints: [], events: 'in-process', instances: 1 },
        settings: { SERVICE: 'all', TOPOLOGY_FILE: '', NATS_URL: '', NATS_NAMESPACE: '', REMOTE_TIMEOUT_MS: 5_000, EVENT_RETENTION_DAYS: 7, OUTBOX_RETENTION_DAYS: 30, READER_ALARM_HOURS: 24, IDEMPOTENCY_KEY_HOURS: 24 },
        throughSource: (name, source) => (name === reader && source.context === 'shop' ? new LyingSource(source, lie) : source),
      }),
      ShopModule, DeskModule, AuditModule,
    ],
  }).compile();
  return module.init();
}

export function databaseOf(app: Awaited<ReturnType<typeof startApplication>>, context: string): ContextDatabase {
  return app.get<ContextDatabase>(databaseToken(context), { strict: false });
}

/** Stores events by themselves, at once, and then lets the transaction that raised them fail. */
export class HastyOutbox implements OutboxWriter {
  constructor(private readonly db: ContextDatabase, private readonly outbox: OutboxWriter) {}

  insert(events: Parameters<OutboxWriter['insert']>[0]): ReturnType<OutboxWriter['insert']> {
    for (const { text, values } of this.outbox.insert(events)) void this.db.query(text, values).then(() => this.outbox.committed());
    return [{ text: `insert into "${this.db.schema}".outbox (id) values (null)`, values: [] }];
  }

  contains(...args: Parameters<OutboxWriter['contains']>): Promise<boolean> {
    return this.outbox.contains(...args);
  }

  committed(): void {
    this.outbox.committed();
  }
}

class LyingSource implements EventSource {
  readonly context: string;
  readonly pollMs: number | undefined;

  constructor(private readonly source: EventSource, private readonly lie: Lie) {
    this.context = source.context;
    this.pollMs = source.pollMs;
  }

  start(): Promise<void> {
    return this.source.start();
  }

  stop(): Promise<void> {
    return this.source.stop();
  }

  async fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>> {
    const fetched = await this.source.fetch(positions.map(({ lane, n }) => ({ lane, n: n >> 1 })), size);
    return new Map([...fetched].map(([lane, events]) => [lane, this.lie(events.map((event) => ({ ...event, n: 2 * event.n, prev: 2 * event.prev })))]));
  }

  onWake(listener: () => void): () => void {
    return this.source.onWake(listener);
  }

  certain(n: number): Promise<void> | undefined {
    return this.source.certain?.(n >> 1);
  }

  onWithdrawn(listener: (last: number) => void): () => void {
    return this.source.onWithdrawn?.((last) => listener(2 * last)) ?? (() => undefined);
  }
}
