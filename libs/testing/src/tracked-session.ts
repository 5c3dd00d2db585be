import type { INestApplicationContext } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { currentMessage, currentTenant, SYSTEM, uuidv7, withMessage } from '@nestbox/kernel';
import { MessageRegistry } from '@nestbox/messaging';
import type { ContextDatabase } from '@nestbox/persistence';

/** How often to look, in ms. */
const LOOK_EVERY = 10;

/** An event of a tracked cascade. */
export interface TrackedEvent {
  readonly id: string;
  readonly type: string;
  readonly aggregateId: string;
  /** What caused it: the id of another event of the cascade, or of the session itself. */
  readonly causationId: string;
  readonly payload: Record<string, unknown>;
  /** False when a handler failed on it, or it waits behind one that did. */
  readonly handled: boolean;
}

/** What a command has answered, and everything it has led to. */
export interface TrackedSession<R> {
  readonly result: R;
  /** In the order in which they were committed, context by context. */
  readonly events: readonly TrackedEvent[];
}

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly type: string;
  readonly aggregate_id: string;
  readonly causation_id: string;
  readonly payload: Record<string, unknown>;
  readonly n: string | null;
  readonly lane: number;
}

/**
 * Runs a command and waits until its whole causal cascade has settled: every event with its correlation, in every
 * context of this process, has been handled by every subscriber, and what that has raised, too. No sleeps, no guesses.
 * @throws what the command throws; or after `timeoutMs`, with what is still open
 */
export async function trackSession<R>(app: INestApplicationContext, command: object, timeoutMs = 60_000): Promise<TrackedSession<R>> {
  const correlationId = uuidv7();
  const result = await withMessage({ correlationId, causationId: correlationId, tenantId: currentTenant(), identity: currentMessage()?.identity ?? SYSTEM }, () => app.get(CommandBus).execute<object, R>(command));
  const { contexts } = app.get(MessageRegistry);
  const patience = performance.now() + timeoutMs;
  for (;;) {
    const before = await Promise.all(contexts.map(({ db }) => eventsOf(db, correlationId)));
    const open = (await Promise.all(contexts.map(({ db }, index) => stillOpen(app, db, before[index]!)))).flat();
    // Handling an event commits what it raises together with its position: when nothing is open and nothing has been
    // added meanwhile, nothing can come any more.
    if (open.length === 0 && (await countOf(contexts.map(({ db }) => db), correlationId)) === before.flat().length) {
      const troubled = new Set((await Promise.all(contexts.map(({ db }) => troubledIds(db)))).flat());
      return { result, events: before.flat().map((row) => toTracked(row, !troubled.has(row.id))) };
    }
    if (performance.now() > patience) throw new Error(`The cascade of ${command.constructor.name} has not settled after ${timeoutMs} ms: ${open.join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

async function eventsOf(db: ContextDatabase, correlationId: string): Promise<Row[]> {
  const { rows } = await db.query<Row>(
    `select o.id, o.type, o.aggregate_id, o.headers->>'causationId' as causation_id, o.payload, o.lane, l.n
     from "${db.schema}".outbox o left join "${db.schema}".log l using (position) where o.headers->>'correlationId' = $1 order by o.position`,
    [correlationId],
  );
  return rows;
}

async function countOf(databases: readonly ContextDatabase[], correlationId: string): Promise<number> {
  return (await Promise.all(databases.map((db) => eventsOf(db, correlationId)))).flat().length;
}

/** What has no number yet, or has not been passed by a reader that handles it. */
async function stillOpen(app: INestApplicationContext, source: ContextDatabase, events: readonly Row[]): Promise<string[]> {
  const open = events.filter((event) => event.n === null).map((event) => `${event.type} has no number`);
  for (const { reader, db, handlers } of app.get(MessageRegistry).contexts.flatMap((context) => context.readers)) {
    const wanted = events.filter((event) => event.n !== null && handlers.some((handler) => handler.events.has(event.type)));
    if (wanted.length === 0) continue;
    const { rows } = await db.query<{ lane: number; n: string }>(
      `select distinct on (lane) lane, n from "${db.schema}".cursor where reader = $1 and source = $2 order by lane, gen desc`,
      [reader, source.context],
    );
    const at = new Map(rows.map((row) => [row.lane, Number(row.n)]));
    const heldBack = new Set((await heldBackIds(db, reader, source.context)).map(({ id }) => id));
    for (const event of wanted) if ((at.get(event.lane) ?? 0) < Number(event.n) || heldBack.has(event.id)) open.push(`${reader} has not handled ${event.type}`);
  }
  return open;
}

/** Passed by, but only set aside for later, because its tenant floods the lane. */
async function heldBackIds(db: ContextDatabase, reader: string, source: string): Promise<{ id: string }[]> {
  const { rows } = await db.query<{ id: string }>(`select event->>'id' as id from "${db.schema}".trouble where reader = $1 and source = $2 and state = 'throttled'`, [reader, source]);
  return rows;
}

async function troubledIds(db: ContextDatabase): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(`select event->>'id' as id from "${db.schema}".trouble`);
  return rows.map((row) => row.id);
}

function toTracked(row: Row, handled: boolean): TrackedEvent {
  const { id, type, payload } = row;
  return { id, type, aggregateId: row.aggregate_id, causationId: row.causation_id, payload, handled };
}
