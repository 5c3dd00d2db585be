import type { ContextDatabase } from '@nestbox/persistence';

/** How often to look, in ms. */
const LOOK_EVERY = 10;
/** How long retries that are due may take to run, in ms. */
const PATIENCE = 60_000;

/**
 * Lets `ms` milliseconds pass for the retries of these contexts. Their time is the database's, which cannot be moved;
 * so they are moved towards it instead, from one that falls due to the next, and each is waited for.
 * @throws when retries that are due do not run
 */
export async function passTime(contexts: readonly ContextDatabase[], ms: number): Promise<void> {
  let left = ms;
  for (;;) {
    const next = Math.min(...(await Promise.all(contexts.map(untilNextRetry))));
    const step = Math.min(left, Math.max(0, next));
    await Promise.all(contexts.map((db) => bringForward(db, step)));
    left -= step;
    if (next > left + step) return;
    await retriesHaveRun(contexts);
  }
}

/** Milliseconds until the first retry; Infinity when none waits. */
async function untilNextRetry(db: ContextDatabase): Promise<number> {
  const { rows } = await db.query<{ ms: number | null }>(
    `select (extract(epoch from min(next_at) - clock_timestamp()) * 1000)::float8 ms from "${db.schema}".trouble where state = 'head'`,
  );
  return rows[0]!.ms ?? Infinity;
}

async function bringForward(db: ContextDatabase, ms: number): Promise<void> {
  if (ms > 0) await db.query(`update "${db.schema}".trouble set next_at = next_at - $1 * interval '1 ms' where state = 'head'`, [ms]);
}

async function retriesHaveRun(contexts: readonly ContextDatabase[]): Promise<void> {
  const patience = performance.now() + PATIENCE;
  while (Math.min(...(await Promise.all(contexts.map(untilNextRetry)))) <= 0) {
    if (performance.now() > patience) throw new Error(`Retries are due but have not run after ${PATIENCE} ms: is the engine of their context running?`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
