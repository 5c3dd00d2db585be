import { LANES } from '../lanes.js';
import { isoTime, type OperatedContext, rowsOf } from './operated-context.js';

/** Where a reader stands in one lane. */
export interface LaneState {
  readonly lane: number;
  /** It has everything up to and including this number. */
  readonly n: number;
  /** When its newest generation was appended: a batch, or a change of owner. */
  readonly movedAt: string;
  /** `<host>:<pid>` of the living process that owns it; null while nobody does. */
  readonly owner: string | null;
}

/** A reader's positions in the log of one context. */
export interface ReaderState {
  readonly context: string;
  /** The context, `<context>.<projection>`, or `relay`. */
  readonly reader: string;
  readonly source: string;
  readonly lanes: readonly LaneState[];
  /** Keys with events in trouble, and how many of them wait for a person. */
  readonly blockedKeys: number;
  readonly deadKeys: number;
  /** Events that it has passed and handles in turns, because their tenant has many. */
  readonly heldBack: number;
}

interface Row {
  readonly reader: string;
  readonly source: string;
  readonly lane: number;
  readonly n: string;
  readonly at: Date;
  readonly owner: string | null;
}

/** Every reader that has ever read in a context's database. */
export async function listReaders({ definition, db }: OperatedContext): Promise<ReaderState[]> {
  const s = `"${db.schema}"`;
  // Steps from one reader to the next along the key: the generations between them are many.
  const rows = await rowsOf<Row>(
    db,
    `with recursive r as (
       (select reader, source from ${s}.cursor order by reader, source limit 1)
       union all
       select x.reader, x.source from r cross join lateral (
         select reader, source from ${s}.cursor c where (c.reader, c.source) > (r.reader, r.source) order by reader, source limit 1) x)
     select r.reader, r.source, c.lane, c.n, c.at, coalesce(i.process, m.instance::text) owner
     from r cross join generate_series(0, ${LANES - 1}) number
     cross join lateral (select * from ${s}.cursor where reader = r.reader and source = r.source and lane = number order by gen desc limit 1) c
     left join nb.member m on m.instance = c.owner and m.until > clock_timestamp() and m.reader = case when r.reader = $1 then r.reader else r.reader || ':' || $1 end
     left join nb.instance i on i.instance = m.instance
     order by r.reader, r.source, c.lane`,
    [definition.name],
  );
  const trouble = await rowsOf<{ reader: string; source: string; blocked: number; dead: number; held: number }>(
    db,
    `select reader, source, (count(*) filter (where state in ('head', 'dead')))::int blocked, (count(*) filter (where state = 'dead'))::int dead,
       (count(*) filter (where state = 'throttled'))::int held from ${s}.trouble group by reader, source`,
  );
  return [...Map.groupBy(rows, ({ reader, source }) => `${reader} ${source}`).values()].map((lanes) => {
    const { reader, source } = lanes[0]!;
    const found = trouble.find((candidate) => candidate.reader === reader && candidate.source === source);
    return {
      context: definition.name,
      reader,
      source,
      lanes: lanes.map(({ lane, n, at, owner }) => ({ lane, n: Number(n), movedAt: isoTime(at), owner })),
      blockedKeys: found?.blocked ?? 0,
      deadKeys: found?.dead ?? 0,
      heldBack: found?.held ?? 0,
    };
  });
}
