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

/** Counters that only grow, and what is still to do. */
interface Look {
  readonly state: string;
  readonly open: readonly string[];
}

/**
 * Waits until everything committed so far has been numbered and handled, and what that has caused too. What is in
 * trouble counts as handled: it waits for its next attempt, or for a person.
 * @throws after `timeoutMs` with what is still open
 */
export async function settled(contexts: readonly ContextDatabase[], readers: readonly ReaderOf[], timeoutMs = 60_000): Promise<void> {
  const look = async (): Promise<readonly Look[]> => Promise.all([...contexts.map(numbering), ...readers.map(reading)]);
  const patience = performance.now() + timeoutMs;
  for (;;) {
    const [first, second] = [await look(), await look()];
    const open = second.flatMap((part) => part.open);
    // One look reads the parts one after the other, and an event may pass between them unseen. Counters that are the
    // same in two looks held all together at some moment in between.
    const still = first.every((part, index) => part.state === second[index]!.state);
    if (open.length === 0 && still) return;
    if (performance.now() > patience) throw new Error(`Not settled after ${timeoutMs} ms: ${open.join('; ') || 'events keep coming'}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

async function numbering(db: ContextDatabase): Promise<Look> {
  const { rows } = await db.query<{ events: number; numbered: number }>(
    `select (select count(*) from "${db.schema}".outbox)::int events,
       (select count(*) from "${db.schema}".log where position >= (select min(position) from "${db.schema}".outbox))::int numbered`,
  );
  const { events, numbered } = rows[0]!;
  return { state: `${events}/${numbered}`, open: events > numbered ? [`${events - numbered} events of "${db.context}" have no number`] : [] };
}

async function reading({ reader, db, source }: ReaderOf): Promise<Look> {
  const heads = await source.query<{ lane: number; n: string }>(`select lane, max(n) n from "${source.schema}".log group by lane`);
  const cursors = await db.query<{ lane: number; gen: string; n: string }>(
    `select distinct on (lane) lane, gen, n from "${db.schema}".cursor where reader = $1 and source = $2 order by lane, gen desc`,
    [reader, source.context],
  );
  const { rows: heldBack } = await db.query<{ count: number }>(
    `select count(*)::int count from "${db.schema}".trouble where reader = $1 and source = $2 and state = 'throttled'`,
    [reader, source.context],
  );
  const { count } = heldBack[0]!;
  const at = new Map(cursors.rows.map((row) => [row.lane, Number(row.n)]));
  const behind = heads.rows.filter((head) => Number(head.n) > (at.get(head.lane) ?? 0)).map((head) => head.lane);
  return {
    state: cursors.rows.map((row) => `${row.lane}:${row.gen}`).join(),
    open: [
      ...(behind.length > 0 ? [`"${reader}" is behind "${source.context}" in lanes ${behind.join(', ')}`] : []),
      ...(count > 0 ? [`"${reader}" holds ${count} events of "${source.context}" back`] : []),
    ],
  };
}
