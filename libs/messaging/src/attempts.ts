import type { ContextDatabase } from '@nestbox/persistence';
import { concerned, type BatchContext } from './batch-context.js';
import type { StoredEvent } from './envelope.js';
import type { EventHandler } from './handlers.js';
import { BlockedEventLoop } from './stall-watch.js';

/** Processes that must have ended while they handled an event before it is taken for the reason. */
const KILLER_DEATHS = 2;

/** The process ended more than once while it handled this event. */
export class KillsTheProcess extends Error {
  readonly incurable = true;

  constructor(deaths: number) {
    super(`It killed the process: ${deaths} processes ended while they handled this event alone. Mend the handler and deploy, then replay; or skip it.`);
    this.name = new.target.name;
  }
}

/** What is known of earlier attempts at an event that did not end. */
export interface Evidence {
  /** Other processes that began and never ended. */
  readonly deaths: number;
  /** What somebody who was still alive has noted about it, and the handler's name if that is known. */
  readonly reason: string | null;
  readonly handler: string | null;
}

/** Attempts at single events, noted before they begin and forgotten when they have ended: what is left accuses the event. */
export class Attempts {
  private readonly table: string;
  private readonly where: readonly [string, string];

  constructor(private readonly db: ContextDatabase, reader: string, source: string) {
    this.table = `"${db.schema}".attempt`;
    this.where = [reader, source];
  }

  /** Whether any event that a lane still has to handle is accused. */
  async accuse(lane: number, position: number): Promise<boolean> {
    const { rows } = await this.db.enginePool.query<{ accused: boolean }>(
      `select exists (select 1 from ${this.table} a where reader = $1 and source = $2 and lane = $3
         and (n > $4 or exists (select 1 from "${this.db.schema}".trouble t where t.reader = a.reader and t.source = a.source and t.n = a.n))) accused`,
      [...this.where, lane, position],
    );
    return rows[0]!.accused;
  }

  /** What accuses an event, apart from attempts that ended before `since`. */
  async evidence(lane: number, n: number, me: string, since?: Date | null): Promise<Evidence> {
    const { rows } = await this.db.enginePool.query<Evidence>(
      `select count(distinct instance) filter (where instance <> $5 and reason is null)::int deaths, max(reason) reason, max(handler) handler from ${this.table}
       where reader = $1 and source = $2 and lane = $3 and n = $4 and started_at > coalesce($6::timestamptz, '-infinity')`,
      [...this.where, lane, n, me, since ?? null],
    );
    return rows[0]!;
  }

  async begin(lane: number, n: number, me: string): Promise<void> {
    await this.db.enginePool.query(`insert into ${this.table} (reader, source, lane, n, instance) values ($1, $2, $3, $4, $5)`, [...this.where, lane, n, me]);
  }

  async ended(lane: number, n: number): Promise<void> {
    await this.db.enginePool.query(`delete from ${this.table} where reader = $1 and source = $2 and lane = $3 and n = $4`, [...this.where, lane, n]);
  }
}

/** Which handlers of an event the evidence speaks against, and what is to be said about it. */
export function verdict(context: BatchContext, event: StoredEvent, { deaths, reason, handler }: Evidence): Map<EventHandler, unknown> {
  const suspects = concerned(context, event).filter(({ name }) => handler === null || name === handler);
  if (reason !== null) return new Map(suspects.map((suspect) => [suspect, new BlockedEventLoop(reason, 0, true)]));
  return deaths >= KILLER_DEATHS ? new Map(suspects.map((suspect) => [suspect, new KillsTheProcess(deaths)])) : new Map();
}
