/** The SQL of the sequencer; one statement each, so that each sees one snapshot. */
export interface SequencerSql {
  /** The newest generation, and whether its owner lives. */
  readonly newest: string;
  /** Takes over generation `$1` for `$2` if its owner is not alive. */
  readonly takeOver: string;
  /** Numbers what has become visible since the snapshot with xmax `$3` and running transactions `$4`. */
  readonly advance: string;
  /** Numbers every event that has no number, whatever snapshots say; for a restored or promoted database. */
  readonly recover: string;
  readonly release: string;
}

export function sequencerSql(schema: string): SequencerSql {
  const s = `"${schema}"`;
  const alive = `exists (select 1 from nb.member m where m.reader = $READER and m.instance = owner and m.until > clock_timestamp())`;
  // Numbers the rows of `w` behind the head of `p`, and appends the new generation with the snapshot `c` they were found with.
  const numbering = `
     r as (select position, lane, (select head from p) + row_number() over (order by position) n from w),
     i as (insert into ${s}.log (n, lane, prev, position)
       select n, lane, coalesce(lag(n) over (partition by lane order by n), (select heads from p)[lane + 1]), position from r returning n, lane),
     k as (select lane, max(n) m, count(*) c from i group by lane)`;
  const heads = `(select array_agg(coalesce(k.m, p.heads[g]) order by g) from generate_subscripts(p.heads, 1) g left join k on k.lane = g - 1)`;
  return {
    newest: `select gen, owner, snap::text, pg_snapshot_xmin(snap)::text xmin, ${alive.replace('$READER', '$1')} alive,
        system_id::text, timeline, pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax(snap) forward,
        (select system_identifier::text from pg_control_system()) current_system_id, (select timeline_id from pg_control_checkpoint()) current_timeline
      from ${s}.sequencer order by gen desc limit 1`,
    takeOver: `insert into ${s}.sequencer
      select gen + 1, $2, snap, head, heads, system_id, timeline from ${s}.sequencer
      where gen = $1 and not ${alive.replace('$READER', '$3')}
      on conflict do nothing returning gen, snap::text`,
    advance: `with p as materialized (select head, heads, system_id, timeline from ${s}.sequencer where gen = $1),
     c as materialized (select pg_current_snapshot() s),
     w as materialized (select position, lane from ${s}.outbox where xid >= $3::xid8
       union all select position, lane from ${s}.outbox where xid = any($4::xid8[])),${numbering},
     u as (insert into ${s}.sequencer (gen, owner, snap, head, heads, system_id, timeline)
       select $1 + 1, $2, c.s, p.head + (select sum(c) from k), ${heads}, p.system_id, p.timeline
       from p, c where exists (select 1 from k) returning gen)
     select (select count(*) from i)::int n, (select gen from u) gen, (select s from c)::text snap,
       exists (select 1 from p) mine, pg_is_in_recovery() replica`,
    recover: `with p as materialized (select greatest(head, (select coalesce(max(n), 0) from ${s}.log)) head, heads from ${s}.sequencer where gen = $1),
     c as materialized (select pg_current_snapshot() s),
     w as materialized (select position, lane from ${s}.outbox o where not exists (select 1 from ${s}.log l where l.position = o.position)),${numbering},
     u as (insert into ${s}.sequencer (gen, owner, snap, head, heads, system_id, timeline)
       select $1 + 1, $2, c.s, p.head + (select count(*) from i), ${heads}, y.system_identifier, t.timeline_id
       from p, c, pg_control_system() y, pg_control_checkpoint() t returning gen)
     select (select count(*) from i)::int n, (select gen from u) gen, (select s from c)::text snap,
       exists (select 1 from p) mine, pg_is_in_recovery() replica`,
    release: `insert into ${s}.sequencer select gen + 1, null, snap, head, heads, system_id, timeline
      from ${s}.sequencer where gen = $1 and owner = $2 on conflict do nothing`,
  };
}
