import { isoTime, type OperatedContext, rowsOf } from './operated-context.js';

/** Most blocked keys that are listed at once, and most of what waits behind each: an answer has to fit into a message. */
const LIMIT = 200;
const BEHIND = 10;
const LONGEST_MESSAGE = 500;

/** Which trouble is meant; everything that is given has to be the case, and nothing given means all of it. */
export interface TroubleTarget {
  /** The context, or `<context>.<projection>`. */
  readonly reader?: string;
  /** Class name of the event handler; `*` for all of a reader, which what is held back waits for. */
  readonly handler?: string;
  /** `<tenant>/<aggregate type>/<aggregate id>`; of what is held back, the tenant alone. */
  readonly key?: string;
  /** Id of an event. */
  readonly event?: string;
}

/** An event that waits behind another one of its key. */
export interface WaitingEvent {
  readonly n: number;
  readonly event: string;
  readonly type: string;
  readonly request: 'replay' | 'skip' | null;
  readonly edited: boolean;
}

/** The first event of a key that failed for a handler, and what waits behind it. */
export interface TroubleEntry extends WaitingEvent {
  readonly context: string;
  readonly reader: string;
  /** The context that has published the event. */
  readonly source: string;
  readonly lane: number;
  readonly handler: string;
  readonly key: string;
  /** `retrying` by itself, `dead` until a person decides, or `throttled`: held back because its tenant has many, and handled in turns. */
  readonly state: 'retrying' | 'dead' | 'throttled';
  readonly attempts: number;
  readonly since: string;
  readonly failedAt: string | null;
  /** Null when nothing is tried without a person. */
  readonly nextAttemptAt: string | null;
  readonly error: { readonly name?: string; readonly message: string } | null;
  readonly correlationId: string;
  readonly committedAt: string;
  /** How many events wait behind it; the first of them are in `behind`. */
  readonly waiting: number;
  readonly behind: readonly WaitingEvent[];
}

interface Row extends Omit<TroubleEntry, 'context' | 'n' | 'state' | 'since' | 'failedAt' | 'nextAttemptAt'> {
  readonly n: string;
  readonly state: string;
  readonly since: Date;
  readonly failed_at: Date | null;
  readonly next_at: Date | null;
}

/** What is in trouble in a context, longest first. */
export async function listTrouble({ definition, db }: OperatedContext, target: TroubleTarget = {}): Promise<TroubleEntry[]> {
  const table = `"${db.schema}".trouble`;
  const same = 'b.reader = t.reader and b.source = t.source and b.handler = t.handler and b.key = t.key';
  const rows = await rowsOf<Row>(
    db,
    `select t.reader, t.source, t.lane, t.handler, t.key, t.n, t.state, t.attempts, t.since, t.failed_at, t.next_at, t.request, t.edited is not null edited,
       t.event->>'id' event, t.event->>'type' type, t.event->'headers'->>'correlationId' "correlationId", t.event->>'createdAt' "committedAt",
       case when t.error is not null then jsonb_build_object('name', t.error->>'name', 'message', left(t.error->>'message', ${LONGEST_MESSAGE})) end error,
       (select count(*)::int from ${table} b where ${same} and b.n > t.n) waiting,
       (select coalesce(json_agg(w), '[]') from (
         select b.n, b.event->>'id' event, b.event->>'type' type, b.request, b.edited is not null edited
         from ${table} b where ${same} and b.n > t.n order by b.n limit ${BEHIND}) w) behind
     from ${table} t
     where (state in ('head', 'dead') or (state = 'throttled' and not exists (select 1 from ${table} b where ${same} and b.n < t.n))) and ($1::text is null or reader = $1) and ($2::text is null or handler = $2) and ($3::text is null or key = $3)
       and ($4::text is null or exists (select 1 from ${table} b where ${same} and b.event->>'id' = $4))
     order by since, n limit ${LIMIT}`,
    [target.reader ?? null, target.handler ?? null, target.key ?? null, target.event ?? null],
  );
  return rows.map(({ n, state, since, failed_at, next_at, ...row }) => ({
    ...row,
    context: definition.name,
    n: Number(n),
    state: state === 'head' ? 'retrying' : (state as TroubleEntry['state']),
    since: isoTime(since),
    failedAt: isoTime(failed_at),
    nextAttemptAt: state === 'head' ? isoTime(next_at) : null,
  }));
}
