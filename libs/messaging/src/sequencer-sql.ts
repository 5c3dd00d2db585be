import type { ContextDatabase } from '@nestbox/persistence';
import { EVENT_COLUMNS } from './stored-event-row.js';

/** A database that has lost its newest events goes on at the next multiple of this, far above what it can have lost. */
const LEAP = 1_000_000_000;

/** Events that are numbered in memory. More than these stay in the database and are numbered there. */
export const FEW = 64;

/** The SQL of the sequencer; one statement each, so that each sees one snapshot. */
export interface SequencerSql {
  /** For the heartbeat, as JSON: the owner, the log's head, and whether there are events that have no number yet. */
  readonly state: string;
  /** The newest generation, whether its owner lives, and whether this is still the database that wrote it. */
  readonly newest: string;
  /** Takes over generation `$1` for `$2` if its owner is not alive. */
  readonly takeOver: string;
  /**
   * What has become visible since the snapshot with xmax `$1` and running transactions `$2`, with the snapshot that saw
   * it: at most one row more than a {@link FEW}. A row without a position when there is nothing.
   */
  readonly look: string;
  /** The same with what readers need of an event. */
  readonly lookCloser: string;
  /** Numbers the events at `$5` (with their lanes `$3` and predecessors `$4`) behind the head that generation `$1` has; `$6` is the snapshot, `$7` the lanes' heads after. */
  readonly number: string;
  /** Numbers what has become visible since the snapshot with xmax `$3` and running transactions `$4`, however much that is. */
  readonly advance: string;
  /** Leaves out numbers, so that none is given twice: what a database has forgotten, others may have seen. */
  readonly leap: string;
  /** Numbers every event that has no number, whatever snapshots say; for a restored or promoted database. */
  readonly recover: string;
  readonly release: string;
}

/** How far the log is, if the database is not the one that wrote it: it was restored or has failed over since. */
export async function restoredHead(db: ContextDatabase): Promise<number | undefined> {
  const { rows } = await db.enginePool.query<{ head: string; same: boolean }>(sequencerSql(db.schema).newest, ['']);
  return rows[0] && !rows[0].same ? Number(rows[0].head) : undefined;
}

export function sequencerSql(schema: string): SequencerSql {
  const s = `"${schema}"`;
  const alive = `exists (select 1 from nb.member m where m.reader = $READER and m.instance = owner and m.until > clock_timestamp())`;
  // Of what is being written now: the control file learns of a promotion seconds late. A standby writes none.
  const timeline = "case when pg_is_in_recovery() then 0 else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end";
  // Numbers the rows of `w` behind the head of `p`, and appends the new generation with the snapshot `c` they were found with.
  const numbering = `
     r as (select position, lane, (select head from p) + row_number() over (order by position) n from w),
     i as (insert into ${s}.log (n, lane, prev, position)
       select n, lane, coalesce(lag(n) over (partition by lane order by n), (select heads from p)[lane + 1]), position from r returning n, lane),
     k as (select lane, max(n) m, count(*) c from i group by lane)`;
  // In the order of the index on purpose: with a limit alone the planner may read the table from its beginning.
  const look = (columns: string) => `select c.snap::text, pg_is_in_recovery() replica, o.*
    from (select pg_current_snapshot() snap) c left join (
      (select ${columns} from ${s}.outbox where xid >= $1::xid8 order by xid limit ${FEW + 1})
      union all (select ${columns} from ${s}.outbox where xid = any($2::xid8[]) order by xid limit ${FEW + 1})) o on true`;
  const heads = `(select array_agg(coalesce(k.m, p.heads[g]) order by g) from generate_subscripts(p.heads, 1) g left join k on k.lane = g - 1)`;
  return {
    state: `select json_build_array(owner, head,
        exists (select from ${s}.outbox where xid >= pg_snapshot_xmax(snap)) or exists (select from ${s}.outbox where xid = any(array(select pg_snapshot_xip(snap)))))
      from (select * from ${s}.sequencer order by gen desc limit 1) newest`,
    newest: `select gen, owner, snap::text, head, heads, ${alive.replace('$READER', '$1')} alive,
        (system_id, timeline, incarnation) = (y.system_identifier, ${timeline}, q.tableoid)
          and pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax(snap) same
      from ${s}.sequencer q, pg_control_system() y order by gen desc limit 1`,
    takeOver: `insert into ${s}.sequencer
      select gen + 1, $2, snap, head, heads, system_id, timeline, incarnation from ${s}.sequencer
      where gen = $1 and not ${alive.replace('$READER', '$3')}
      on conflict do nothing returning gen, snap::text`,
    look: look('position, lane'),
    lookCloser: look(`position, lane, ${EVENT_COLUMNS}`),
    // The server may have crashed or failed over since the snapshot was taken, which then is none of its own.
    number: `with p as materialized (select head, system_id, timeline, incarnation from ${s}.sequencer where gen = $1 and incarnation = tableoid and timeline = ${timeline}
         and pg_snapshot_xmax($6::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())),
     i as (insert into ${s}.log (n, lane, prev, position)
       select p.head + place, e.lane, e.prev, e.position from p, unnest($3::smallint[], $4::bigint[], $5::bigint[]) with ordinality e(lane, prev, position, place))
     insert into ${s}.sequencer (gen, owner, snap, head, heads, system_id, timeline, incarnation)
     select $1 + 1, $2, $6::pg_snapshot, p.head + cardinality($5::bigint[]), $7::bigint[], p.system_id, p.timeline, p.incarnation from p returning gen`,
    advance: `with p as materialized (select head, heads, system_id, timeline, incarnation from ${s}.sequencer where gen = $1 and incarnation = tableoid and timeline = ${timeline}),
     c as materialized (select pg_current_snapshot() s),
     w as materialized (select position, lane from ${s}.outbox where xid >= $3::xid8
       union all select position, lane from ${s}.outbox where xid = any($4::xid8[])),${numbering},
     u as (insert into ${s}.sequencer (gen, owner, snap, head, heads, system_id, timeline, incarnation)
       select $1 + 1, $2, c.s, p.head + (select sum(c) from k), ${heads}, p.system_id, p.timeline, p.incarnation
       from p, c where exists (select 1 from k) returning gen, heads)
     select (select count(*) from i)::int n, (select head from p) + (select count(*) from i) head, (select gen from u) gen, (select heads from u) heads, (select s from c)::text snap,
       exists (select 1 from p) mine, pg_is_in_recovery() replica`,
    leap: `insert into ${s}.sequencer
      select gen + 1, owner, snap, (head / ${LEAP} + 1) * ${LEAP}, heads, system_id, timeline, incarnation
      from ${s}.sequencer where gen = $1 and owner = $2 returning gen, head`,
    // Ids of the old server would look like those of transactions to come: every event that is numbered now gets one that is over.
    recover: `with p as materialized (select head, heads from ${s}.sequencer where gen = $1),
     c as materialized (select pg_current_snapshot() s),
     w as materialized (select position, lane from ${s}.outbox o where not exists (select 1 from ${s}.log l where l.position = o.position)),
     f as (update ${s}.outbox set xid = '2' where xid >= (select pg_snapshot_xmin(s) from c)),${numbering},
     u as (insert into ${s}.sequencer (gen, owner, snap, head, heads, system_id, timeline, incarnation)
       select $1 + 1, $2, c.s, p.head + (select count(*) from i), ${heads}, y.system_identifier, ${timeline}, '${s}.sequencer'::regclass
       from p, c, pg_control_system() y returning gen, heads)
     select (select count(*) from i)::int n, (select head from p) + (select count(*) from i) head, (select gen from u) gen, (select heads from u) heads, (select s from c)::text snap,
       exists (select 1 from p) mine, pg_is_in_recovery() replica`,
    release: `insert into ${s}.sequencer select gen + 1, null, snap, head, heads, system_id, timeline, incarnation
      from ${s}.sequencer where gen = $1 and owner = $2 on conflict do nothing`,
  };
}
