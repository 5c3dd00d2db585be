import { OUTBOX_STATE, relayOf } from '../messaging-tables.js';
import { isoTime, type OperatedContext, rowsOf } from './operated-context.js';

/** How far back the outbox is looked through. */
const RECENT = 20_000;

/** An event of the outbox: not yet on its way to the subscribers (`NEW`), on its way (`SENT`), or refused by the broker (`ERR`). */
export interface OutboxEntry {
  readonly context: string;
  /** Number in the log; null while it has none. */
  readonly n: number | null;
  readonly event: string;
  readonly type: string;
  readonly key: string;
  readonly state: 'NEW' | 'SENT' | 'ERR';
  readonly retries: number;
  readonly committedAt: string;
  readonly correlationId: string;
}

export interface OutboxFilter {
  readonly state?: OutboxEntry['state'];
  readonly limit?: number;
}

/** The newest events of a context, newest first. */
export async function listOutbox({ definition, db }: OperatedContext, { state, limit = 50 }: OutboxFilter = {}): Promise<OutboxEntry[]> {
  const s = `"${db.schema}"`;
  const rows = await rowsOf<Omit<OutboxEntry, 'context' | 'n' | 'committedAt'> & { n: string | null; created_at: Date }>(
    db,
    `select * from (
       select l.n, id event, type, tenant_id || '/' || aggregate_type || '/' || aggregate_id as key, ${OUTBOX_STATE} state, coalesce(t.attempts, 0) retries,
         created_at, headers->>'correlationId' "correlationId"
       from (select * from ${s}.outbox order by position desc limit ${RECENT}) o
       left join (select n, position from ${s}.log where n > (select coalesce(max(n), 0) from ${s}.log) - ${2 * RECENT}) l using (position) ${relayOf(s)}
       order by position desc) x
     where $1::text is null or state = $1 limit $2`,
    [state ?? null, limit],
  );
  return rows.map(({ n, created_at, ...row }) => ({ context: definition.name, n: n === null ? null : Number(n), ...row, committedAt: isoTime(created_at) }));
}

/** What an event says, as it was committed. */
export interface EventContent {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly schemaVersion: number;
}

/** The content of an event; none when the outbox does not have it, or not any more. */
export async function readEvent({ db }: OperatedContext, { event }: { event: string }): Promise<EventContent[]> {
  return rowsOf(db, `select payload, schema_version "schemaVersion" from "${db.schema}".outbox where id::text = $1`, [event]);
}
