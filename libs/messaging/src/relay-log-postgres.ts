import type { ContextDatabase } from '@nestbox/persistence';
import { LaneClaims, type LaneSight, memberName } from './lane-claims.js';
import type { StoredEvent } from './envelope.js';
import type { FreshEvents } from './fresh-events.js';
import { keyOf } from './handlers.js';
import type { Lease } from './leases.js';
import { advanced, type Generation } from './protocol/generation.js';
import { isFree } from './protocol/sharing.js';
import type { LoggedEvent, RelayLog } from './relay-log.js';
import type { LanePosition } from './source.js';
import { LOGGED_EVENT_COLUMNS, type LoggedEventRow, toLoggedEvent } from './stored-event-row.js';
import { Trouble } from './trouble.js';
import type { WakeUps } from './wake-ups.js';

/** The broker will never take an event. */
class TooLargeForBroker extends Error {
  readonly incurable = true;

  constructor(reason: string) {
    super(`The event is too large for the broker (${reason}): its subscribers have got a tombstone in its place.`);
    this.name = new.target.name;
  }
}

/** The log of a context for its relay. The relay is a reader with one lane; the stream itself says how far it is. */
export class PostgresRelayLog implements RelayLog {
  private readonly claims: LaneClaims;
  private readonly trouble: Trouble;
  private unwatch: (() => void) | undefined;
  private sight: LaneSight | undefined;
  private held: Generation | undefined;
  /** The log may have grown since it was read last. */
  private stirred = true;
  /** Where it ended then. */
  private end: number | undefined;

  constructor(private readonly db: ContextDatabase, private readonly lease: Lease, private readonly wakeUps: WakeUps, private readonly fresh?: FreshEvents) {
    this.claims = new LaneClaims(db, 'relay', db.context, lease);
    this.trouble = new Trouble(db, 'relay', db.context);
  }

  get context(): string {
    return this.db.context;
  }

  async read(after: number, limit: number): Promise<LoggedEvent[]> {
    if (this.fresh?.covers(after)) return this.fresh.since(after, limit);
    // Whatever makes the log grow is announced: by the sequencer here, or by the heartbeat.
    if (!this.stirred && after === this.end) return [];
    this.stirred = false;
    const s = `"${this.db.schema}"`;
    for (let from = after; ; ) {
      const { rows } = await this.db.enginePool.query<LoggedEventRow & { id: string | null; number: string }>(
        `select l.n as number, ${LOGGED_EVENT_COLUMNS} from (select * from ${s}.log where n > $1 order by n limit $2) l left join ${s}.outbox o using (position) order by l.n`,
        [from, limit],
      );
      this.end = rows.length === 0 ? from : undefined;
      // Old events leave the outbox a little earlier than the log.
      const kept = rows.filter(({ id }) => id !== null);
      if (kept.length > 0 || rows.length === 0) return kept.map(toLoggedEvent);
      from = Number(rows.at(-1)!.number);
    }
  }

  async followed(positions: readonly LanePosition[]): Promise<LanePosition[]> {
    const s = `"${this.db.schema}"`;
    const { rows } = await this.db.enginePool.query<{ lane: number; n: string }>(
      `select c.lane, c.n from unnest($1::smallint[], $2::bigint[]) c(lane, n)
        cross join lateral (
          select prev, position from ${s}.log where (lane, n) > (c.lane, c.n) and lane <= c.lane and n > c.n order by lane, n limit 1) l
        join ${s}.outbox o using (position) where l.prev <= c.n`,
      [positions.map(({ lane }) => lane), positions.map(({ n }) => n)],
    );
    return rows.map(({ lane, n }) => ({ lane, n: Number(n) }));
  }

  async gave(n: number): Promise<boolean> {
    const s = `"${this.db.schema}"`;
    const { rows } = await this.db.enginePool.query(
      `select exists (select from ${s}.log where n = $1)
         or $1 < coalesce((select min(n) from ${s}.log), (select head + 1 from ${s}.sequencer order by gen desc limit 1)) as gave`,
      [n],
    );
    return rows[0].gave;
  }

  /** Decides on what the last heartbeat has seen; asks nothing while another process lives that is the relay. */
  async acquire(): Promise<boolean> {
    if (this.owned()) return true;
    await this.prepared();
    const { sight } = this;
    if (!sight || sight.beat.instance !== this.lease.instance || !this.lease.valid) return false;
    this.sight = undefined;
    const [newest] = sight.rows;
    if (newest?.owner === this.lease.instance) this.held = newest;
    else if (newest && isFree(newest, sight.members)) [this.held] = await this.claims.claim([newest]);
    return this.held !== undefined;
  }

  owned(): boolean {
    return this.held !== undefined && this.held.owner === this.lease.instance && this.lease.valid;
  }

  async release(): Promise<void> {
    this.unwatch?.();
    const held = this.owned() ? this.held : undefined;
    this.held = undefined;
    if (held) await this.claims.release([held]);
  }

  async note(n: number): Promise<void> {
    const { held } = this;
    if (!held || !this.owned() || held.n === n) return;
    // Losing the race for the next generation means that another process is the relay now.
    [this.held] = await this.claims.append([advanced(held, n)]);
    if (held.gen % 100 === 0) await this.claims.prune(0, held.gen);
  }

  async refused(event: LoggedEvent, reason: string): Promise<void> {
    const { text, values } = this.trouble.failed('relay', keyOf(event), understood(event), new TooLargeForBroker(reason));
    await this.db.enginePool.query(`${text} on conflict do nothing`, values as unknown[]);
  }

  async resumed(n: number): Promise<void> {
    await this.db.enginePool.query(`delete from "${this.db.schema}".trouble where reader = 'relay' and n > $1`, [n]);
  }

  onWake(listener: () => void): () => void {
    return this.wakeUps.on(`log.${this.db.context}`, () => {
      this.stirred = true;
      listener();
      return this.owned();
    });
  }

  /** Joins the relays of this context, once; tried again when it fails. */
  private async prepared(): Promise<void> {
    if (this.unwatch) return;
    await this.claims.prepare([0]);
    this.unwatch = this.claims.watch([0], (sight) => {
      this.sight = sight;
    });
  }
}

/**
 * Where events do not travel through a broker any more, no relay has a position: one that was left would say for ever
 * that the newest events are not on their way, and keep old ones.
 */
export async function forgetRelay(db: ContextDatabase): Promise<void> {
  await db.enginePool.query(
    `delete from "${db.schema}".cursor where reader = 'relay' and not exists (select 1 from nb.member where reader = $1 and until > clock_timestamp())`,
    [memberName('relay', db.context)],
  );
}

function understood(event: LoggedEvent): StoredEvent {
  if (!('json' in event)) return event;
  const { json, ...rest } = event;
  return { ...rest, payload: JSON.parse(json) as StoredEvent['payload'] };
}
