import type { ClientBase } from 'pg';
import { currentMessage, DEFAULT_TENANT, type DomainEventClass, UsageError } from '@nestbox/kernel';
import type { ContextDatabase, OutboxWriter, RecordedEvent, Statement } from '@nestbox/persistence';
import type { EventHeaders } from './envelope.js';
import { laneOf } from './lanes.js';

/** Largest payload of an event in bytes of JSON; the broker's default message limit is 1 MiB, headers included. */
export const MAX_PAYLOAD_BYTES = 512 * 1024;

/** How far back the outbox is searched for an event whose commit was not answered. */
const RECENT_POSITIONS = 100_000;

/** As many events are cheaper as statements of their own; more are cheaper as arrays in one. */
const FEW = 8;

const COLUMNS = [
  ['id', 'uuid'], ['tenant_id', 'text'], ['lane', 'smallint'], ['aggregate_type', 'text'], ['aggregate_id', 'text'],
  ['aggregate_version', 'bigint'], ['type', 'text'], ['schema_version', 'int'], ['payload', 'jsonb'], ['headers', 'jsonb'],
] as const;

/** The outbox of one context: one row per event, written in the transaction of the aggregate and never updated. */
export class Outbox implements OutboxWriter {
  private readonly table: string;
  private readonly insertOne: string;
  private readonly insertMany: string;

  constructor(
    private readonly db: ContextDatabase,
    private readonly publishes: ReadonlySet<DomainEventClass>,
    private readonly poke: () => void,
  ) {
    this.table = `"${db.schema}".outbox`;
    const names = COLUMNS.map(([name]) => name).join(', ');
    this.insertOne = `insert into ${this.table} (${names}) values (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;
    // Position follows the order of the select, so an aggregate's events are numbered as they were raised.
    this.insertMany = `insert into ${this.table} (${names}) select ${names}
      from unnest(${COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ')}) with ordinality as e(${names}, place) order by place`;
  }

  insert(events: readonly RecordedEvent[]): Statement[] {
    const rows = events.map((event) => this.row(event));
    if (rows.length <= FEW) return rows.map((values) => this.db.prepared.named({ text: this.insertOne, values }));
    return [this.db.prepared.named({ text: this.insertMany, values: COLUMNS.map((_, column) => rows.map((row) => row[column])) })];
  }

  async contains(client: ClientBase, eventId: string): Promise<boolean> {
    const { rows } = await client.query(
      `select 1 from ${this.table} where id = $1 and position > (select coalesce(max(position), 0) from ${this.table}) - ${RECENT_POSITIONS}`,
      [eventId],
    );
    return rows.length > 0;
  }

  committed(): void {
    this.poke();
  }

  /** In the order of {@link COLUMNS}. */
  private row({ id, event, aggregate, aggregateType, aggregateVersion, cause }: RecordedEvent): unknown[] {
    const type = event.constructor as unknown as DomainEventClass;
    if (!this.publishes.has(type)) {
      throw new UsageError(
        `${aggregate.constructor.name} raised ${type.name}, which the context "${this.db.context}" does not declare.`,
        `add ${type.name} to \`publishes\` of its @ContextModule.`,
      );
    }
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
      throw new UsageError(`${type.type} of ${aggregateType} "${aggregate.id}" is larger than ${MAX_PAYLOAD_BYTES} bytes.`, 'put the bulk elsewhere and let the event say where.');
    }
    const message = cause ?? currentMessage();
    const tenant = message?.tenantId ?? DEFAULT_TENANT;
    const headers: EventHeaders = {
      correlationId: message?.correlationId ?? id,
      ...(message?.causationId && { causationId: message.causationId }),
      ...(message?.origin && { origin: message.origin }),
      ...(message?.traceparent && { traceparent: message.traceparent }),
      ...(message?.tracestate && { tracestate: message.tracestate }),
    };
    return [
      id, tenant, laneOf(tenant, aggregateType, aggregate.id), aggregateType, aggregate.id, aggregateVersion,
      type.type, type.schemaVersion ?? 1, payload, JSON.stringify(headers),
    ];
  }
}
