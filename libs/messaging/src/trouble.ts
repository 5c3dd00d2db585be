import type { ClientBase } from 'pg';
import type { ContextDatabase, Statement } from '@nestbox/persistence';
import type { StoredEvent } from './envelope.js';

/** Attempts before a person has to decide. */
export const MAX_ATTEMPTS = 5;
const BACKOFF_BASE_MS = 200;
const BACKOFF_MAX_MS = 60_000;

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
}

/** Why an event is in trouble, as JSON. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  return { name: error.name, message: error.message, ...(code !== undefined && { code }), stack: error.stack?.split('\n').slice(0, 8).join('\n') };
}

/** Waiting time before the next attempt in ms: doubles, with up to half of it as jitter, so that retries spread. */
export function backoffMs(attempts: number, random: () => number = Math.random): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (attempts - 1));
  return Math.round(full / 2 + (full / 2) * random());
}

/**
 * The events of one reader that failed and wait, per handler and key, in order. Only the owner of a lane moves its
 * rows, inside the lane's fenced transaction; a person only sets `request`.
 */
export class Trouble {
  private readonly table: string;
  private readonly where: readonly [string, string];

  constructor(private readonly db: ContextDatabase, reader: string, source: string) {
    this.table = `"${db.schema}".trouble`;
    this.where = [reader, source];
  }

  /** `<handler> <key>` of everything that is blocked in a lane. */
  async blocked(lane: number, client: ClientBase | ContextDatabase['enginePool'] = this.db.enginePool): Promise<string[]> {
    const { rows } = await client.query(`select distinct handler, key from ${this.table} where reader = $1 and source = $2 and lane = $3`, [...this.where, lane]);
    return rows.map((row) => blockedName(row.handler, row.key));
  }

  /** What the owner of a lane should work on now: due retries and requests of a person, oldest first. */
  async due(lane: number, limit: number): Promise<TroubleRow[]> {
    const { rows } = await this.db.enginePool.query(
      `select lane, handler, key, n, coalesce(edited, event) event, state, attempts, request from ${this.table}
       where reader = $1 and source = $2 and lane = $3 and ((state = 'head' and next_at <= clock_timestamp()) or (state in ('head', 'dead') and request is not null))
       order by n limit $4`,
      [...this.where, lane, limit],
    );
    return rows.map((row) => ({ ...row, n: Number(row.n) }));
  }

  /** A handler failed on an event for the first time. */
  failed(handler: string, key: string, event: StoredEvent, error: unknown): Statement {
    return this.insert(handler, key, event, 'head', 1, backoffMs(1), error);
  }

  /** An event that must not be tried again without a person. */
  dead(handler: string, key: string, event: StoredEvent, error: unknown): Statement {
    return this.insert(handler, key, event, 'dead', MAX_ATTEMPTS, null, error);
  }

  /** A later event of a blocked key waits behind it. */
  queued(handler: string, key: string, event: StoredEvent): Statement {
    return this.insert(handler, key, event, 'queued', 0, null, undefined);
  }

  /** The event was handled, or skipped by a person: the next of its key becomes due. */
  solved(row: TroubleRow): Statement[] {
    return [
      { text: `delete from ${this.table} where reader = $1 and source = $2 and handler = $3 and key = $4 and n = $5`, values: [...this.where, row.handler, row.key, row.n] },
      {
        text: `update ${this.table} set state = 'head', next_at = clock_timestamp()
          where reader = $1 and source = $2 and handler = $3 and key = $4 and state = 'queued'
            and n = (select min(n) from ${this.table} where reader = $1 and source = $2 and handler = $3 and key = $4)`,
        values: [...this.where, row.handler, row.key],
      },
    ];
  }

  /** Another attempt failed. A replay that a person asked for starts counting anew. */
  failedAgain(row: TroubleRow, error: unknown): Statement {
    const attempts = row.request === 'replay' ? 1 : row.attempts + 1;
    const dead = attempts >= MAX_ATTEMPTS;
    return {
      text: `update ${this.table} set attempts = $6, state = $7, next_at = clock_timestamp() + $8 * interval '1 ms', error = $9, request = null
        where reader = $1 and source = $2 and handler = $3 and key = $4 and n = $5`,
      values: [...this.where, row.handler, row.key, row.n, attempts, dead ? 'dead' : 'head', dead ? null : backoffMs(attempts), JSON.stringify(describeError(error))],
    };
  }

  private insert(handler: string, key: string, event: StoredEvent, state: string, attempts: number, delayMs: number | null, error: unknown): Statement {
    return {
      text: `insert into ${this.table} (reader, source, lane, handler, key, n, event, state, attempts, next_at, error)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + $10 * interval '1 ms', $11)`,
      values: [
        ...this.where, event.lane, handler, key, event.n, JSON.stringify(event), state, attempts, delayMs,
        error === undefined ? null : JSON.stringify(describeError(error)),
      ],
    };
  }
}

export function blockedName(handler: string, key: string): string {
  return `${handler} ${key}`;
}
