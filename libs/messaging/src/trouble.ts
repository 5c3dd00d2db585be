import type { ContextDatabase, Statement } from '@nestbox/persistence';
import type { StoredEvent } from './envelope.js';
import { isIncurable } from './handlers.js';

/** Attempts before a person has to decide. */
export const MAX_ATTEMPTS = 5;
const BACKOFF_BASE_MS = 200;
const BACKOFF_MAX_MS = 60_000;
/** An attempt is followed by a pause of so many times its duration. */
const SHARE_OF_RETRIES = 20;

/** An event that waits: the first of its key that failed (`head`, `dead`), or one behind it (`queued`). */
export interface TroubleRow {
  readonly lane: number;
  readonly handler: string;
  readonly key: string;
  readonly n: number;
  readonly event: StoredEvent;
  readonly state: 'head' | 'queued' | 'dead' | 'throttled';
  readonly attempts: number;
  readonly request: 'replay' | 'skip' | null;
  /** How often a person has asked for something; tells a request from a later one that says the same. */
  readonly asked: number;
  /** When it failed last; null for one that has only waited. */
  readonly failed_at: Date | null;
}

/** What is in trouble in a lane. */
export interface Blocked {
  /** `<handler> <key>` of each. */
  readonly names: readonly string[];
  /** When the first of them should be tried again, in ms from now; unset when none should, without a person. */
  readonly dueInMs?: number;
}

/** Nothing is in trouble. */
export const NOTHING_BLOCKED: Blocked = { names: [] };

/** What is known for so long about events that were in trouble. */
const REMEMBER = "interval '30 days'";

/** Longest text of an error that is kept, in characters. */
const ERROR_TEXT = 4_000;

/** Why an event is in trouble, as JSON. Whatever was thrown, it can be stored: a reason that cannot would stop the lane. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: storable(error) };
  const { code } = error as { code?: unknown };
  return {
    name: storable(error.name),
    message: storable(error.message),
    ...((typeof code === 'string' || typeof code === 'number') && { code: storable(code) }),
    stack: storable(error, 8, ({ stack }) => stack),
  };
}

/** As Postgres takes it in JSON: no NUL, no half of a surrogate pair. What cannot even be read has no text. */
function storable<T>(value: T, lines = Number.POSITIVE_INFINITY, part: (whole: T) => unknown = (whole) => whole): string {
  let text: string;
  try {
    text = String(part(value));
  } catch {
    text = 'something that has no text';
  }
  return text.slice(0, ERROR_TEXT).split('\n').slice(0, lines).join('\n').replaceAll('\0', '').toWellFormed();
}

/**
 * Waiting time before the next attempt in ms: doubles, with up to half of it as jitter, so that retries spread. After an
 * attempt that took long it is long, too: retries take a small part of their lane's time.
 */
export function backoffMs(attempts: number, tookMs = 0, random: () => number = Math.random): number {
  const full = Math.min(BACKOFF_MAX_MS, Math.max(BACKOFF_BASE_MS * 2 ** (attempts - 1), tookMs * SHARE_OF_RETRIES));
  return Math.round(full / 2 + (full / 2) * random());
}

/**
 * The events of one reader that failed and wait, per handler and key, in order. Only the owner of a lane moves its
 * rows, inside the lane's fenced transaction; a person only sets `request` and `edited`.
 */
export class Trouble {
  private readonly table: string;
  private readonly where: readonly [string, string];

  constructor(private readonly db: ContextDatabase, reader: string, source: string) {
    this.table = `"${db.schema}".trouble`;
    this.where = [reader, source];
  }

  /** What is blocked in these lanes; lanes where nothing is are absent. */
  async blocked(lanes: readonly number[]): Promise<Map<number, Blocked>> {
    const { rows } = await this.db.enginePool.query<{ lane: number; names: string[]; due: number | null }>(
      `select lane, array_agg(distinct handler || ' ' || key) names,
         (extract(epoch from min(next_at) filter (where state = 'head') - clock_timestamp()) * 1000)::float8 due
       from ${this.table} where reader = $1 and source = $2 and lane = any($3) and state <> 'throttled' group by lane`,
      [...this.where, lanes],
    );
    return new Map(rows.map(({ lane, names, due }) => [lane, { names, ...(due !== null && { dueInMs: due }) }]));
  }

  /** What the owner of a lane should work on now: due retries and requests of a person, oldest first. */
  async due(lane: number, limit: number): Promise<TroubleRow[]> {
    const { rows } = await this.db.enginePool.query(
      `select ${COLUMNS} from ${this.table}
       where reader = $1 and source = $2 and lane = $3 and ((state = 'head' and next_at <= clock_timestamp()) or (state in ('head', 'dead') and request is not null))
       order by n limit $4`,
      [...this.where, lane, limit],
    );
    return rows.map(toTroubleRow);
  }

  /**
   * The row as it is now, which nobody changes until the lane's transaction, inside of which this must run, has ended:
   * whoever asks for something meanwhile waits, and then sees what became of it. Undefined when it is gone.
   */
  async lock(row: TroubleRow): Promise<TroubleRow | undefined> {
    const rows = await this.db.manager.query<Record<string, unknown>[]>(
      `select ${COLUMNS} from ${this.table} where reader = $1 and source = $2 and handler = $3 and key = $4 and n = $5 for update`,
      [...this.where, row.handler, row.key, row.n],
    );
    return rows.map(toTroubleRow)[0];
  }

  /** A handler failed on an event for the first time; what no further attempt can cure is dead at once. */
  failed(handler: string, key: string, event: StoredEvent, error: unknown): Statement {
    if (isIncurable(error)) return this.insert(handler, key, event, 'dead', 1, null, error);
    return this.insert(handler, key, event, 'head', 1, backoffMs(1, tookMsOf(error)), error);
  }

  /** A later event of a blocked key waits behind it. */
  queued(handler: string, key: string, event: StoredEvent): Statement {
    return this.insert(handler, key, event, 'queued', 0, null, undefined);
  }

  /** The event was handled, or skipped as a person has asked: it is remembered, and the next of its key becomes due. */
  solved(row: TroubleRow, owner: string): Statement[] {
    return [
      {
        text: `with gone as (delete from ${this.table} where reader = $1 and source = $2 and handler = $3 and key = $4 and n = $5 returning *)
          insert into "${this.db.schema}".solved (reader, source, lane, handler, key, n, outcome, edited, attempts, error, since, owner)
          select reader, source, lane, handler, key, n, $6, edited is not null, attempts, error, since, $7 from gone`,
        values: [...this.where, row.handler, row.key, row.n, row.request === 'skip' ? 'skipped' : 'handled', owner],
      },
      {
        text: `update ${this.table} set state = 'head', next_at = clock_timestamp()
          where reader = $1 and source = $2 and handler = $3 and key = $4 and state = 'queued'
            and n = (select min(n) from ${this.table} where reader = $1 and source = $2 and handler = $3 and key = $4)`,
        values: [...this.where, row.handler, row.key],
      },
      { text: `delete from "${this.db.schema}".solved where at < clock_timestamp() - ${REMEMBER}`, values: [] },
    ];
  }

  /**
   * Another attempt failed. A replay that a person asked for starts counting anew, and is answered by that; what was
   * asked for since stays to be done.
   */
  failedAgain(row: TroubleRow, error: unknown): Statement {
    const attempts = row.request === 'replay' ? 1 : row.attempts + 1;
    const dead = attempts >= MAX_ATTEMPTS || isIncurable(error);
    return {
      text: `update ${this.table} set attempts = $6, state = $7, next_at = clock_timestamp() + $8 * interval '1 ms', error = $9, failed_at = clock_timestamp(),
          request = case when asked = $10 then null else request end
        where reader = $1 and source = $2 and handler = $3 and key = $4 and n = $5`,
      values: [...this.where, row.handler, row.key, row.n, attempts, dead ? 'dead' : 'head', dead ? null : backoffMs(attempts, tookMsOf(error)), JSON.stringify(describeError(error)), row.asked],
    };
  }

  private insert(handler: string, key: string, event: StoredEvent, state: string, attempts: number, delayMs: number | null, error: unknown): Statement {
    return {
      text: `insert into ${this.table} (reader, source, lane, handler, key, n, event, state, attempts, next_at, error, failed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + $10 * interval '1 ms', $11, case when $11::jsonb is null then null else clock_timestamp() end)`,
      values: [
        ...this.where, event.lane, handler, key, event.n, JSON.stringify(event), state, attempts, delayMs,
        error === undefined ? null : JSON.stringify(describeError(error)),
      ],
    };
  }
}

const COLUMNS = 'lane, handler, key, n, coalesce(edited, event) event, state, attempts, request, asked, failed_at';

function toTroubleRow(row: Record<string, unknown>): TroubleRow {
  return { ...(row as unknown as TroubleRow), n: Number(row['n']) };
}

export function blockedName(handler: string, key: string): string {
  return `${handler} ${key}`;
}

function tookMsOf(error: unknown): number {
  const { tookMs } = (error ?? {}) as { tookMs?: unknown };
  return error instanceof Error && typeof tookMs === 'number' ? tookMs : 0;
}
