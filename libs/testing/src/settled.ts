import type { ContextDatabase } from '@nestbox/persistence';

/** How often to look, in ms. */
const LOOK_EVERY = 10;

/** What a context's readers follow. */
export interface ReaderOf {
  readonly reader: string;
  readonly db: ContextDatabase;
  /** The context whose events it follows. */
  readonly source: ContextDatabase;
}

/**
 * Waits until everything committed so far has been numbered and handled, and what that has caused too. What is in
 * trouble counts as handled: it waits for its next attempt, or for a person.
 * @throws after `timeoutMs` with what is still open
 */
export async function settled(contexts: readonly ContextDatabase[], readers: readonly ReaderOf[], timeoutMs = 15_000): Promise<void> {
  const patience = performance.now() + timeoutMs;
  for (;;) {
    const open = [...(await Promise.all(contexts.map(unnumbered))), ...(await Promise.all(readers.map(unread)))].filter((line) => line !== undefined);
    if (open.length === 0 && (await stillQuiet(contexts, readers))) return;
    if (performance.now() > patience) throw new Error(`Not settled after ${timeoutMs} ms: ${open.join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

/** A second look: between reading one context and the next, an event may have passed unseen. */
async function stillQuiet(contexts: readonly ContextDatabase[], readers: readonly ReaderOf[]): Promise<boolean> {
  const again = [...(await Promise.all(contexts.map(unnumbered))), ...(await Promise.all(readers.map(unread)))];
  return again.every((line) => line === undefined);
}

async function unnumbered(db: ContextDatabase): Promise<string | undefined> {
  const { rows } = await db.query(
    `select (select count(*) from "${db.schema}".outbox)::int - (select count(*) from "${db.schema}".log)::int missing`,
  );
  return rows[0]!['missing'] > 0 ? `${rows[0]!['missing']} events of "${db.context}" have no number` : undefined;
}

async function unread({ reader, db, source }: ReaderOf): Promise<string | undefined> {
  const heads = await source.query<{ lane: number; n: string }>(`select lane, max(n) n from "${source.schema}".log group by lane`);
  const cursors = await db.query<{ lane: number; n: string }>(
    `select distinct on (lane) lane, n from "${db.schema}".cursor where reader = $1 and source = $2 order by lane, gen desc`,
    [reader, source.context],
  );
  const at = new Map(cursors.rows.map((row) => [row.lane, Number(row.n)]));
  const behind = heads.rows.filter((head) => Number(head.n) > (at.get(head.lane) ?? 0));
  return behind.length > 0 ? `"${reader}" is behind "${source.context}" in lanes ${behind.map((head) => head.lane).join(', ')}` : undefined;
}
