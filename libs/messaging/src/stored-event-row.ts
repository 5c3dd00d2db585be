import type { EventHeaders, StoredEvent } from './envelope.js';
import type { LoggedEvent } from './relay-log.js';

/** What an outbox row says about the event itself. */
export const EVENT_COLUMNS = 'id, tenant_id, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers, created_at';

/** Columns of an outbox row `o` joined with its log row `l`, as {@link toStoredEvent} reads them. */
export const STORED_EVENT_COLUMNS = `l.n, l.prev, l.lane, o.id, o.tenant_id, o.aggregate_type, o.aggregate_id, o.aggregate_version,
  o.type, o.schema_version, o.payload, o.headers, o.created_at`;

/** The same as {@link toLoggedEvent} reads them: the payload stays the text that it is, and the time is written as `toISOString` does. */
export const LOGGED_EVENT_COLUMNS = `l.n, l.prev, l.lane, o.id, o.tenant_id, o.aggregate_type, o.aggregate_id, o.aggregate_version,
  o.type, o.schema_version, o.payload::text as json, o.headers, to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at`;

export interface StoredEventRow {
  n: string | number;
  prev: string | number;
  lane: number;
  id: string;
  tenant_id: string;
  aggregate_type: string;
  aggregate_id: string;
  aggregate_version: string;
  type: string;
  schema_version: number;
  payload: Record<string, unknown>;
  headers: EventHeaders;
  created_at: Date;
}

export interface LoggedEventRow extends Omit<StoredEventRow, 'payload' | 'created_at'> {
  json: string;
  created_at: string;
}

export function toStoredEvent(row: StoredEventRow): StoredEvent {
  return { ...commonOf(row), payload: row.payload, createdAt: row.created_at.toISOString() };
}

export function toLoggedEvent(row: LoggedEventRow): LoggedEvent {
  return { ...commonOf(row), json: row.json, createdAt: row.created_at };
}

function commonOf(row: Omit<StoredEventRow, 'payload' | 'created_at'>): Omit<StoredEvent, 'payload' | 'createdAt'> {
  return {
    n: Number(row.n),
    prev: Number(row.prev),
    lane: row.lane,
    id: row.id,
    tenantId: row.tenant_id,
    aggregateType: row.aggregate_type,
    aggregateId: row.aggregate_id,
    aggregateVersion: Number(row.aggregate_version),
    type: row.type,
    schemaVersion: row.schema_version,
    headers: row.headers,
  };
}
