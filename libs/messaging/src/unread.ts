import type { ContextDatabase } from '@nestbox/persistence';

/** Where a reader stands, lane by lane; the relay has one for all of them. */
export interface Positions {
  readonly reader: string;
  readonly lanes: readonly { readonly lane: number; readonly n: number }[];
}

/** What a reader has not read yet. */
export interface Unread {
  readonly reader: string;
  /** Number of the first event that it has not read. */
  readonly next: number;
  /** How long ago the oldest of the first unread events of its lanes was written. */
  readonly ageMs: number;
}

/** The readers of a context's log that have not read all of it. */
export async function readUnread(db: ContextDatabase, readers: readonly Positions[]): Promise<Unread[]> {
  const s = `"${db.schema}"`;
  const positions = readers.flatMap(({ reader, lanes }) => lanes.map(({ lane, n }) => ({ reader, lane: reader === 'relay' ? null : lane, n })));
  const { rows } = await db.enginePool.query<{ reader: string; next: string; age: string }>(
    `select p.reader, min(l.n) as next, extract(epoch from clock_timestamp() - min(o.created_at)) * 1000 as age
     from unnest($1::text[], $2::smallint[], $3::bigint[]) p(reader, lane, n)
     cross join lateral (
       (select n, position from ${s}.log where p.lane is not null and lane = p.lane and n > p.n order by n limit 1)
       union all (select n, position from ${s}.log where p.lane is null and n > p.n order by n limit 1)) l
     join ${s}.outbox o using (position) group by p.reader`,
    [positions.map(({ reader }) => reader), positions.map(({ lane }) => lane), positions.map(({ n }) => n)],
  );
  return rows.map(({ reader, next, age }) => ({ reader, next: Number(next), ageMs: Number(age) }));
}
