import type { ContextDatabase } from '@nestbox/persistence';

/**
 * For every lane of a context's log the last event that is no longer kept; 0 while all are. Whoever stands there or
 * beyond finds everything that follows. The log itself may reach further back than the events that it numbers.
 */
export async function logBeginnings(db: ContextDatabase): Promise<Map<number, number>> {
  const s = `"${db.schema}"`;
  const { rows } = await db.enginePool.query<{ lane: number; n: string }>(
    `with gone as (select lane, max(n) n from ${s}.log where position < (select min(position) from ${s}.outbox) group by lane)
     select place - 1 as lane, coalesce(gone.n, case when exists (select 1 from ${s}.outbox) then first.prev end, heads[place]) as n
     from (select heads from ${s}.sequencer order by gen desc limit 1) q cross join generate_subscripts(heads, 1) place
     left join gone on gone.lane = place - 1
     left join lateral (select prev from ${s}.log where lane = place - 1 order by n limit 1) first on true`,
  );
  return new Map(rows.map(({ lane, n }) => [lane, Number(n)]));
}
