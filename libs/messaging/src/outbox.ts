import type { ClientBase } from 'pg';
import { currentMessage, DEFAULT_TENANT, type DomainEventClass, UsageError } from '@nestbox/kernel';
import type { ContextDatabase, OutboxWriter, RecordedEvent } from '@nestbox/persistence';
import type { EventHeaders } from './envelope.js';
import { laneOf } from './lanes.js';

/** Largest payload of an event in bytes of JSON; the broker's default message limit is 1 MiB, headers included. */
export const MAX_PAYLOAD_BYTES = 512 * 1024;

/** How far back the outbox is searched for an event whose commit was not answered. */
const RECENT_POSITIONS = 100_000;

/** The outbox of one context: one row per event, written in the transaction of the aggregate and never updated. */
export class Outbox implements OutboxWriter {
  private readonly table: string;

  constructor(
    private readonly db: ContextDatabase,
    private readonly publishes: ReadonlySet<DomainEventClass>,
    private readonly poke: () => void,
  ) {
    this.table = `"${db.schema}".outbox`;
  }

  sql(offset: number, condition = 'true'): string {
    const p = (index: number) => `$${offset + index}`;
    // Position follows the order of the select, so an aggregate's events are numbered as they were raised.
    return `insert into ${this.table} (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
      select e.id, e.tenant_id, e.lane, e.aggregate_type, e.aggregate_id, e.aggregate_version, e.type, e.schema_version, e.payload, e.headers
      from unnest(${p(1)}::uuid[], ${p(2)}::text[], ${p(3)}::smallint[], ${p(4)}::text[], ${p(5)}::text[], ${p(6)}::bigint[], ${p(7)}::text[], ${p(8)}::int[], ${p(9)}::jsonb[], ${p(10)}::jsonb[])
        with ordinality as e(id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers, place)
      where ${condition} order by e.place`;
  }

  values(events: readonly RecordedEvent[]): unknown[] {
    const rows = events.map((event) => this.row(event));
    return rows[0]!.map((_, column) => rows.map((row) => row[column]));
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
