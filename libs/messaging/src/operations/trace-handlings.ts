import type { Type } from '@nestjs/common';
import { handledEvents } from '../message-types.js';
import { isoTime, type OperatedContext, rowsOf } from './operated-context.js';

/** What became of an event in one handler. */
export interface Handling {
  /** The context that has published the event. */
  readonly source: string;
  readonly n: number;
  readonly reader: string;
  readonly handler: string;
  /**
   * `handled`; `not yet` reached; in trouble: `retrying`, `dead`, `queued` behind another one of its key, `throttled`;
   * `skipped` by a person; `left out`, because a person has set the reader past it.
   */
  readonly state: 'handled' | 'not yet' | 'retrying' | 'dead' | 'queued' | 'throttled' | 'skipped' | 'left out';
  /** When; the latest time at which it can have been when `after` is there, too. */
  readonly at: string | null;
  /** It was after this, as far as is still known. */
  readonly after: string | null;
  /** False when it was at `at` or before, and no more is known. */
  readonly exact: boolean;
  /** `<host>:<pid>`, as long as it is known. */
  readonly process: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly error: string | null;
}

export interface HandlingsQuery {
  readonly events: readonly { readonly source: string; readonly n: number; readonly lane: number; readonly type: string }[];
}

interface Passage {
  readonly reader: string;
  readonly source: string;
  readonly n: string;
  readonly passed: boolean;
  readonly before_gen: string | null;
  readonly before_at: Date | null;
  readonly gen: string;
  readonly at: Date;
  readonly owner: string | null;
  readonly process: string | null;
}

interface Trouble {
  readonly reader: string;
  readonly source: string;
  readonly handler: string;
  readonly n: string;
  readonly state: string;
  readonly attempts: number;
  readonly next_at: Date | null;
  readonly error: string | null;
  readonly at: Date | null;
  readonly process: string | null;
}

/** What became of events in the handlers of a context. */
export async function traceHandlings(context: OperatedContext, { events }: HandlingsQuery): Promise<Handling[]> {
  const { definition, db } = context;
  const { name, subscribers = [], projections = [] } = definition;
  const readers = [{ reader: name, subscribers }, ...projections.map((projection) => ({ reader: `${name}.${projection.name}`, subscribers: projection.subscribers }))];
  const wanted = readers.flatMap(({ reader, subscribers: own }) =>
    own.flatMap((handler) => events.filter(({ type }) => handles(handler, type)).map((event) => ({ reader, handler: handler.name, event }))),
  );
  if (wanted.length === 0) return [];
  const pairs = [...new Map(wanted.map(({ reader, event }) => [`${reader} ${event.source} ${event.n}`, { reader, ...event }])).values()];
  const passages = new Map((await findPassages({ db }, pairs)).map((passage) => [`${passage.reader} ${passage.source} ${passage.n}`, passage]));
  const troubles = new Map((await findTrouble({ db }, pairs)).map((row) => [`${row.reader} ${row.handler} ${row.source} ${row.n}`, row]));
  return wanted.map(({ reader, handler, event: { source, n } }) => {
    const trouble = troubles.get(`${reader} ${handler} ${source} ${n}`) ?? troubles.get(`${reader} * ${source} ${n}`);
    return { source, n, reader, handler, ...(trouble ? inTrouble(trouble) : passing(passages.get(`${reader} ${source} ${n}`))) };
  });
}

function handles(handler: Type, type: string): boolean {
  return handledEvents(handler).some((event) => event.type === type);
}

type Outcome = Omit<Handling, 'source' | 'n' | 'reader' | 'handler'>;

const NOTHING = { at: null, after: null, exact: true, process: null, attempts: 0, nextAttemptAt: null, error: null };

function inTrouble({ state, attempts, next_at, error, at, process }: Trouble): Outcome {
  const known = { ...NOTHING, attempts, error, at: isoTime(at), process };
  return state === 'head' ? { ...known, state: 'retrying', nextAttemptAt: isoTime(next_at) } : { ...known, state: state as Outcome['state'] };
}

function passing(passage: Passage | undefined): Outcome {
  if (!passage?.passed) return { ...NOTHING, state: 'not yet' };
  const { before_gen: before, before_at: after, gen, at, owner, process } = passage;
  // Between the two generations that are left there may have been many: the process is that of the last one.
  const exact = before !== null && BigInt(gen) === BigInt(before) + 1n;
  if (exact && owner === null) return { ...NOTHING, state: 'left out', at: isoTime(at) };
  return { ...NOTHING, state: 'handled', at: isoTime(at), after: exact ? null : isoTime(after), exact, process: exact ? process ?? owner : null };
}

/** The last generation of a lane that stood before an event, and the first one kept that does not. */
function findPassages({ db }: Pick<OperatedContext, 'db'>, pairs: readonly Pair[]): Promise<Passage[]> {
  const cursor = `"${db.schema}".cursor`;
  const lane = 'reader = e.reader and source = e.source and lane = e.lane';
  return rowsOf(
    db,
    `select e.reader, e.source, e.n, newest.n >= e.n passed, before.gen before_gen, before.at before_at, x.gen, x.at, x.owner, i.process
     from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[]) e(reader, source, lane, n)
     cross join lateral (select gen, n from ${cursor} where ${lane} order by gen desc limit 1) newest
     left join lateral (select gen, at from ${cursor} where ${lane} and n < e.n order by gen desc limit 1) before on true
     left join lateral (select gen, at, owner from ${cursor} where ${lane} and gen > coalesce(before.gen, -1) order by gen limit 1) x on true
     left join nb.instance i on i.instance = x.owner`,
    columns(pairs),
  );
}

type Pair = { readonly reader: string; readonly source: string; readonly lane: number; readonly n: number };

function columns(pairs: readonly Pair[]): unknown[] {
  return [pairs.map(({ reader }) => reader), pairs.map(({ source }) => source), pairs.map(({ lane }) => lane), pairs.map(({ n }) => n)];
}

/** What is in trouble, and what was: the newest word about an event in a handler. */
function findTrouble({ db }: Pick<OperatedContext, 'db'>, pairs: readonly Pair[]): Promise<Trouble[]> {
  const s = `"${db.schema}"`;
  return rowsOf(
    db,
    `with e as (select * from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[]) e(reader, source, lane, n))
     select reader, source, handler, n, outcome state, attempts, null::timestamptz next_at, error->>'message' error, at, coalesce(process, owner::text) process
     from e join lateral (select distinct on (handler) * from ${s}.solved where reader = e.reader and source = e.source and n = e.n order by handler, at desc) x using (reader, source, n)
     left join nb.instance i on i.instance = x.owner
     union all
     select t.reader, t.source, handler, t.n, state, attempts, next_at, error->>'message', failed_at, null
     from e join ${s}.trouble t on t.reader = e.reader and t.source = e.source and t.n = e.n`,
    columns(pairs),
  );
}
