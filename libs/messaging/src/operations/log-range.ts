import { logBeginnings } from '../log-beginnings.js';
import { isoTime, type OperatedContext, rowsOf } from './operated-context.js';

/** What a context's log has. */
export interface LogRange {
  /** Number of the newest event; 0 when there is none. */
  readonly head: number;
  /** The lowest position from which every lane can still be read without a hole; 0 while nothing was dropped. */
  readonly reach: number;
  /** Events that are committed and have no number yet. */
  readonly unnumbered: number;
}

/** How far somebody's position in a lane is behind. */
export interface Backlog {
  readonly lane: number;
  /** Events that follow the position. */
  readonly behind: number;
  /** When the first of them was committed; null when there is none. */
  readonly oldest: string | null;
}

/** Rows at the end of the outbox among which events without a number are looked for. */
const RECENT = 10_000;

export async function logRange({ db }: OperatedContext): Promise<LogRange> {
  const s = `"${db.schema}"`;
  const [row] = await rowsOf<{ head: string; unnumbered: number }>(
    db,
    `select coalesce((select max(n) from ${s}.log), 0) head,
       (select count(*)::int from (select position from ${s}.outbox order by position desc limit ${RECENT}) o
         where not exists (select 1 from ${s}.log l where l.position = o.position and l.n > (select coalesce(max(n), 0) from ${s}.log) - ${2 * RECENT})) unnumbered`,
  );
  return { head: Number(row!.head), reach: Math.max(...(await logBeginnings(db)).values()), unnumbered: row!.unnumbered };
}

/** What is behind positions in single lanes; lane null means the log as a whole. */
export async function logBacklog({ db }: OperatedContext, { positions }: { positions: readonly { lane: number | null; n: number }[] }): Promise<Backlog[]> {
  const s = `"${db.schema}"`;
  const rows = await rowsOf<{ lane: number; behind: string; oldest: Date | null }>(
    db,
    `select coalesce(p.lane, 0) lane,
       case when p.lane is null then greatest((select coalesce(max(n), 0) from ${s}.log) - p.n, 0) else (select count(*) from ${s}.log where lane = p.lane and n > p.n) end behind,
       (select o.created_at from (
          (select position, n from ${s}.log where p.lane is not null and lane = p.lane and n > p.n order by n limit 1)
          union all (select position, n from ${s}.log where p.lane is null and n > p.n order by n limit 1)) l join ${s}.outbox o using (position)) oldest
     from unnest($1::smallint[], $2::bigint[]) with ordinality p(lane, n, place) order by place`,
    [positions.map(({ lane }) => lane), positions.map(({ n }) => n)],
  );
  return rows.map(({ lane, behind, oldest }) => ({ lane, behind: Number(behind), oldest: isoTime(oldest) }));
}

/** The number of the first event that was committed at a time or later; one above the newest when there is none. */
export async function firstSince({ db }: OperatedContext, { time }: { time: string }): Promise<number> {
  const s = `"${db.schema}"`;
  const [row] = await rowsOf<{ n: string }>(
    db,
    `select coalesce((select min(l.n) from ${s}.log l join ${s}.outbox o using (position) where o.created_at >= $1::timestamptz),
       (select coalesce(max(n), 0) + 1 from ${s}.log)) n`,
    [time],
  );
  return Number(row!.n);
}
