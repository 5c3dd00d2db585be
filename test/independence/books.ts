import { uuidv7, withMessage } from '@nestbox/kernel';
import type { ContextDatabase } from '@nestbox/persistence';
import type { CommandBus } from '@nestjs/cqrs';
import { type Deed, Read } from './contexts.ts';

/** How long something that must happen may take before a test gives up; only the order of things is asserted. */
export const EVENTUALLY = { timeout: 20_000, interval: 50 };

/** Takes readings of a meter of a tenant. */
export function read(app: { readonly commands: CommandBus }, meter: string, times = 1, deed: Deed = 'book', tenantId = 'default'): Promise<void> {
  const correlationId = uuidv7();
  return withMessage({ correlationId, causationId: correlationId, tenantId }, () => app.commands.execute(new Read(meter, times, deed)));
}

/** The values that were booked for a meter, in the order of booking. */
export async function booked(db: ContextDatabase, meter: string): Promise<number[]> {
  const { rows } = await db.query<{ value: number }>('select value from ledger.booking where meter = $1 order by seq', [meter]);
  return rows.map(({ value }) => value);
}

/** How often a meter was tallied by the other handler of the same events. */
export async function tallied(db: ContextDatabase, meter: string): Promise<number> {
  const { rows } = await db.query<{ readings: number }>('select readings from ledger.tally where meter = $1', [meter]);
  return rows[0]?.readings ?? 0;
}

/** What is in trouble for a meter. */
export async function troubleOf(db: ContextDatabase, meter: string) {
  const { rows } = await db.query<{ handler: string; state: string; attempts: number; error: { name: string; message: string } | null }>(
    `select handler, state, attempts, error from ledger.trouble where key like '%/' || $1 order by n`,
    [meter],
  );
  return rows;
}

/** 1, 2, … */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** How many events are held back. */
export async function heldBack(db: ContextDatabase): Promise<number> {
  const { rows } = await db.query<{ count: number }>("select count(*)::int count from ledger.trouble where state = 'throttled'");
  return rows[0]!.count;
}

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
