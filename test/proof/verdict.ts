import type { ClientBase } from 'pg';

/** What the effects say, compared with their causes: one line of text per break. */
export interface Verdict {
  /** An event whose effect is missing. */
  readonly lost: readonly string[];
  /** An effect that is there more than once. */
  readonly doubled: readonly string[];
  /** Effects of one aggregate in another order than it raised the events. */
  readonly reordered: readonly string[];
  /** An effect of something that was never committed. */
  readonly uncaused: readonly string[];
  /** A command that was answered, and of which nothing was kept. */
  readonly unacknowledged: readonly string[];
}

/** Each ledger, and the aggregates that say how many steps each basket must have there. */
const LEDGERS = [
  ['desk.shop', 'shop.basket'],
  ['audit.shop', 'shop.basket'],
  ['audit.totals', 'shop.basket'],
  ['audit.desk', 'desk.note'],
] as const;

export function isClean(verdict: Verdict): boolean {
  return Object.values(verdict).every((breaks: readonly string[]) => breaks.length === 0);
}

/**
 * Judges by the aggregates and the ledgers alone, never by a table of the engine.
 * @param acknowledged the highest step of each basket that a command was answered with
 */
export async function judge(client: ClientBase, acknowledged: ReadonlyMap<string, number>): Promise<Verdict> {
  const verdict = { lost: [] as string[], doubled: [] as string[], reordered: [] as string[], uncaused: [] as string[], unacknowledged: [] as string[] };
  const baskets = await stepsOf(client, 'shop.basket');
  for (const [basket, step] of acknowledged) {
    if ((baskets.get(basket) ?? 0) < step) verdict.unacknowledged.push(`${basket} step ${step}`);
  }
  for (const [basket, steps] of await stepsOf(client, 'desk.note')) {
    const caused = baskets.get(basket) ?? 0;
    if (steps !== caused) verdict[steps < caused ? 'lost' : 'doubled'].push(`desk.note ${basket} has ${steps} steps instead of ${caused}`);
  }
  for (const [ledger, aggregates] of LEDGERS) {
    const wanted = await stepsOf(client, aggregates);
    const { rows } = await client.query<{ basket: string; steps: number[] }>(`select basket, array_agg(step order by seq) steps from ${ledger} group by basket`);
    const seen = new Map(rows.map((row) => [row.basket, row.steps]));
    for (const basket of new Set([...wanted.keys(), ...seen.keys()])) compare(verdict, `${ledger} ${basket}`, wanted.get(basket) ?? 0, seen.get(basket) ?? []);
  }
  return verdict;
}

function compare(verdict: { readonly [kind in keyof Verdict]: string[] }, where: string, wanted: number, seen: readonly number[]): void {
  const times = Map.groupBy(seen, (step) => step);
  for (let step = 1; step <= wanted; step++) if (!times.has(step)) verdict.lost.push(`${where} step ${step} of ${wanted}`);
  for (const [step, rows] of times) {
    if (rows.length > 1) verdict.doubled.push(`${where} step ${step}, ${rows.length} times`);
    if (step > wanted) verdict.uncaused.push(`${where} step ${step} of ${wanted}`);
  }
  const back = seen.findIndex((step, index) => index > 0 && step < seen[index - 1]!);
  if (back > 0) verdict.reordered.push(`${where} step ${seen[back]} after ${seen[back - 1]}`);
}

async function stepsOf(client: ClientBase, table: string): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: string; steps: number }>(`select id, steps from ${table}`);
  return new Map(rows.map((row) => [row.id, row.steps]));
}
