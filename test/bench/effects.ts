import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from './environment.js';

/** While a process warms up, its rows do not count: this share of all. */
export const WARM_UP = 0.2;

export interface Expected {
  readonly rows: number;
  /** Whether the rows of one thing must stand in the order of its versions. */
  readonly ordered: boolean;
  /** Share of the rows that do not count; default {@link WARM_UP}. */
  readonly warmUp?: number;
  readonly timeoutMs?: number;
}

/**
 * Waits for the effects and returns how many were written per second after the warm-up.
 * @throws when a row is missing, too many, or out of order
 */
export async function effectsPerSecond(url: string, { rows: wanted, ordered, warmUp = WARM_UP, timeoutMs = 300_000 }: Expected): Promise<number> {
  return withClient(url, async (client) => {
    const patience = performance.now() + timeoutMs;
    // A sequence can be read without a scan; it may be ahead of what is committed.
    for (;;) {
      const { rows } = await client.query('select last_value::int from effects.effect_seq_seq');
      if (rows[0].last_value >= wanted && (await client.query('select count(*)::int count from effects.effect')).rows[0].count >= wanted) break;
      if (performance.now() > patience) throw new Error(`Only ${rows[0].last_value} of ${wanted} effects after ${timeoutMs} ms.`);
      await sleep(50);
    }
    const { rows } = await client.query(
      `select count(*)::int count, count(distinct (thing, version))::int different,
         count(*) filter (where version <> before + 1)::int misplaced, extract(epoch from max(at) - percentile_disc($1::float8) within group (order by at))::float8 seconds
       from (select *, coalesce(lag(version) over (partition by thing order by seq), min(version) over (partition by thing) - 1) before from effects.effect) e`,
      [warmUp],
    );
    const { count, different, misplaced, seconds } = rows[0];
    if (count !== wanted || different !== wanted) throw new Error(`${wanted} effects were expected; there are ${count}, ${different} of them different.`);
    if (ordered && misplaced > 0) throw new Error(`${misplaced} effects are out of order.`);
    return (wanted * (1 - warmUp)) / seconds;
  });
}
