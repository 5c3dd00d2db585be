import type { ContextDatabase, Statement } from '@nestbox/persistence';
import type { SourcedEvent } from './envelope.js';
import { BATCH_SIZE, type Lane } from './lane.js';

/** How long a lane must have been behind without a break, in ms, before a tenant is held back. */
const BEHIND_MS = 100;
/** Events of a lane that may be held back at a time; above, the lane waits for them and by that everybody in it. */
const HELD_BACK_MAX = 100_000;
/** In place of a handler's name: a row is an event for all its handlers. */
const EVERY_HANDLER = '*';

/** A tenant whose events of a lane are held back. */
export interface HeldBack {
  /** How many wait. */
  count: number;
  /** Those up to here are handled, which spares a look at the rows that they were. */
  handledUpTo: number;
}

/**
 * The events that are held back, in order, for all their handlers, under their tenant's name among what is in trouble.
 * Rows come and go with the lane's fenced transactions only.
 */
export class Throttle {
  private readonly table: string;
  private readonly where: readonly [string, string];

  constructor(private readonly db: ContextDatabase, reader: string, source: string) {
    this.table = `"${db.schema}".trouble`;
    this.where = [reader, source];
  }

  /** Whose events are held back in these lanes; lanes without any are absent. */
  async heldBack(lanes: readonly number[]): Promise<Map<number, Map<string, HeldBack>>> {
    const { rows } = await this.db.enginePool.query<{ lane: number; key: string; count: number }>(
      `select lane, key, count(*)::int from ${this.table} where reader = $1 and source = $2 and lane = any($3) and state = 'throttled' group by lane, key`,
      [...this.where, lanes],
    );
    const byLane = Map.groupBy(rows, ({ lane }) => lane);
    return new Map([...byLane].map(([lane, tenants]) => [lane, new Map(tenants.map(({ key, count }) => [key, { count, handledUpTo: 0 }]))]));
  }

  /** The next events of a tenant, in order. */
  async next(lane: number, tenant: string, { handledUpTo }: HeldBack, limit: number): Promise<SourcedEvent[]> {
    const { rows } = await this.db.enginePool.query<{ event: SourcedEvent }>(
      `select coalesce(edited, event) event from ${this.table}
       where reader = $1 and source = $2 and lane = $3 and state = 'throttled' and key = $4 and n > $5 order by n limit $6`,
      [...this.where, lane, tenant, handledUpTo, limit],
    );
    return rows.map(({ event }) => event);
  }

  hold(lane: number, events: readonly SourcedEvent[]): Statement {
    return {
      text: `insert into ${this.table} (reader, source, lane, handler, key, n, event, state)
        select $1, $2, $3, '${EVERY_HANDLER}', e.key, e.n, e.event, 'throttled' from unnest($4::text[], $5::bigint[], $6::jsonb[]) e(key, n, event)`,
      values: [...this.where, lane, events.map(({ tenantId }) => tenantId), events.map(({ n }) => n), events.map((event) => JSON.stringify(event))],
    };
  }

  /** Events that are handled, or in trouble by themselves, are held back no longer. */
  release(tenant: string, events: readonly SourcedEvent[]): Statement {
    return {
      text: `with released as (delete from ${this.table} where reader = $1 and source = $2 and handler = '${EVERY_HANDLER}' and key = $3 and n = any($4) returning 1)
        select nb.expect((select count(*) from released), $5, 'events held back')`,
      values: [...this.where, tenant, events.map(({ n }) => n), events.length],
    };
  }
}

/**
 * Which events of a lane are set aside for later instead of handled now: those of a tenant that floods it, so that all
 * others pass, and for the sake of order everything that the tenant raises until the last of them is handled.
 */
export function whoIsHeldBack(lane: Lane): (event: SourcedEvent) => boolean {
  const flooding = floodingTenant(lane);
  if (flooding !== undefined && !lane.heldBack.has(flooding)) lane.heldBack.set(flooding, { count: 0, handledUpTo: 0 });
  return ({ tenantId }) => lane.heldBack.has(tenantId);
}

/** A tenant with more than half of what comes next in a lane that is behind, and that others share. */
function floodingTenant({ behindSince, severalTenants, buffer }: Lane): string | undefined {
  if (!severalTenants || behindSince === undefined || performance.now() - behindSince < BEHIND_MS || buffer.length < BATCH_SIZE) return undefined;
  const [[tenant, events] = []] = [...Map.groupBy(buffer, ({ tenantId }) => tenantId)].toSorted(([, left], [, right]) => right.length - left.length);
  return events && events.length > buffer.length / 2 ? tenant : undefined;
}

/** True while a lane holds back so much that it has to work on that before anything else. */
export function holdsTooMuch({ heldBack }: Lane): boolean {
  return [...heldBack.values()].reduce((sum, { count }) => sum + count, 0) >= HELD_BACK_MAX;
}
