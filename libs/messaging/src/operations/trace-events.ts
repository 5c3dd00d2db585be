import { isoTime, type OperatedContext, rowsOf } from './operated-context.js';

/** Most events of one context in a story. */
export const STORY_LIMIT = 500;
/** How much later than its rows may be written an id can have been made, and clocks can differ, in ms. */
const MARGIN_MS = 10 * 60_000;

/** An event of a story. */
export interface TracedEvent {
  readonly context: string;
  readonly event: string;
  readonly type: string;
  /** Null while it has no number in the log. */
  readonly n: number | null;
  readonly lane: number;
  readonly tenantId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly aggregateVersion: number;
  readonly committedAt: string;
  readonly correlationId: string;
  /** Id of the request or event that it follows from. */
  readonly causationId: string | null;
  /** The command type or event handler that has raised it. */
  readonly origin: string | null;
}

export interface TraceQuery {
  /** Of an event, or of a chain. */
  readonly id: string;
  /** Do not believe the time in the id: who made it may have had a clock that was ahead. Reads the whole outbox. */
  readonly anyTime?: boolean;
}

/** The events of a context with this id or correlation id, in the order in which they were numbered. */
export async function traceEvents({ definition, db }: OperatedContext, { id, anyTime }: TraceQuery): Promise<TracedEvent[]> {
  const s = `"${db.schema}"`;
  const from = await positionAt({ db }, anyTime ? 0 : timeOf(id) - MARGIN_MS);
  const rows = await rowsOf<Omit<TracedEvent, 'context' | 'n' | 'aggregateVersion' | 'committedAt'> & { n: string | null; aggregateVersion: string; created_at: Date }>(
    db,
    `select id event, type, l.n, o.lane, tenant_id "tenantId", aggregate_type "aggregateType", aggregate_id "aggregateId", aggregate_version "aggregateVersion",
       created_at, headers->>'correlationId' "correlationId", headers->>'causationId' "causationId", headers->>'origin' origin
     from (select * from ${s}.outbox where position >= $3 and (id = $1::uuid or headers->>'correlationId' = $2) order by position limit ${STORY_LIMIT}) o
     left join ${s}.log l on l.position = o.position
     order by o.position`,
    [isUuid(id) ? id : null, id, from],
  );
  return rows.map(({ n, aggregateVersion, created_at, ...row }) => ({
    context: definition.name,
    ...row,
    n: n === null ? null : Number(n),
    aggregateVersion: Number(aggregateVersion),
    committedAt: isoTime(created_at),
  }));
}

/**
 * A position before everything that was committed after a time. Positions are given in the order of time, nearly, and
 * are the only index of the outbox: one on ids would cost something with every event, for the few that are looked up.
 */
async function positionAt({ db }: Pick<OperatedContext, 'db'>, time: number): Promise<string> {
  const outbox = `"${db.schema}".outbox`;
  const [bounds] = await rowsOf<{ low: string; high: string }>(db, `select coalesce(min(position), 1) low, coalesce(max(position), 0) + 1 high from ${outbox}`);
  let [low, high] = [BigInt(bounds!.low), BigInt(bounds!.high)];
  if (time <= 0) return low.toString();
  while (low < high) {
    const middle = (low + high) / 2n;
    const [row] = await rowsOf<{ created_at: Date }>(db, `select created_at from ${outbox} where position >= $1 order by position limit 1`, [middle.toString()]);
    if (row!.created_at.getTime() < time) low = middle + 1n;
    else high = middle;
  }
  return low.toString();
}

/** When an id was made, if it says so (UUID v7), in Unix milliseconds; else 0. */
function timeOf(id: string): number {
  return isUuid(id) && id[14] === '7' ? Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) : 0;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
