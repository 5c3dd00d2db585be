import type { ContextDatabase } from '@nestbox/persistence';

/** The state of a context's events, in numbers. */
export interface ContextMeasures {
  /** Number of the newest event in the log. */
  readonly head: number;
  /** Committed events without a number. */
  readonly unnumbered: number;
  readonly trouble: readonly { readonly reader: string; readonly state: string; readonly events: number }[];
  readonly partitions: readonly { readonly table: string; readonly partitions: number }[];
}

/** Measures a context, in one statement. */
export async function measureContext(db: ContextDatabase): Promise<ContextMeasures> {
  const s = `"${db.schema}"`;
  const { rows } = await db.enginePool.query<{ head: string; unnumbered: string; trouble: ContextMeasures['trouble'] | null; partitions: ContextMeasures['partitions'] }>(
    `with q as materialized (select head, snap from ${s}.sequencer order by gen desc limit 1)
     select head, (select count(*) from ${s}.outbox where xid >= pg_snapshot_xmax(q.snap))
         + (select count(*) from ${s}.outbox where xid = any(array(select pg_snapshot_xip(q.snap)))) as unnumbered,
       (select json_agg(t) from (select reader, state, count(*)::int as events from ${s}.trouble group by reader, state) t) as trouble,
       (select json_agg(p) from (select c.relname as table, count(*)::int as partitions from pg_inherits i join pg_class c on c.oid = i.inhparent
          where c.oid in (('${s}.outbox')::regclass, ('${s}.log')::regclass) group by c.relname) p) as partitions
     from q`,
  );
  const { head, unnumbered, trouble, partitions } = rows[0]!;
  return { head: Number(head), unnumbered: Number(unnumbered), trouble: trouble ?? [], partitions };
}
