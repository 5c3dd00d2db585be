import type { ContextDatabase } from '@nestbox/persistence';
import type { SourcedEvent } from './envelope.js';
import { FreshEvents } from './fresh-events.js';
import { logBeginnings } from './log-beginnings.js';
import type { EventSource, LanePosition } from './source.js';
import { STORED_EVENT_COLUMNS, type StoredEventRow, toStoredEvent } from './stored-event-row.js';
import type { WakeUps } from './wake-ups.js';

/** Follows the log of a context in the same process, without a broker. */
export class LogSource implements EventSource {
  /** The heartbeat tells of everything that the sequencer has not. */
  readonly pollMs = Number.POSITIVE_INFINITY;
  private readonly sql: string;
  /** For a lane that was read up to `n`: there is no more of it in the log up to this number. */
  private readonly readUpTo = new Map<number, { readonly n: number; readonly upTo: number }>();
  private unsubscribe: () => void = () => undefined;

  constructor(private readonly db: ContextDatabase, private readonly wakeUps: WakeUps, private readonly fresh = new FreshEvents()) {
    const s = `"${db.schema}"`;
    // With lane = c.lane the planner may walk the log by n and filter: for a lane where nothing happens, all of it. Bounds
    // for the pair, and its order, leave nothing but the index on both; n alone is repeated to leave out partitions.
    this.sql = `select ${STORED_EVENT_COLUMNS}
      from unnest($1::smallint[], $2::bigint[]) c(lane, n)
      cross join lateral (
        select * from ${s}.log where (lane, n) > (c.lane, c.n) and lane <= c.lane and n > c.n order by lane, n limit $3) l
      join ${s}.outbox o using (position) order by l.lane, l.n`;
  }

  get context(): string {
    return this.db.context;
  }

  async start(): Promise<void> {
    this.unsubscribe = this.fresh.onWithdrawn(() => this.readUpTo.clear());
  }

  async stop(): Promise<void> {
    this.unsubscribe();
  }

  async fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>> {
    const found = new Map<number, SourcedEvent[]>();
    const unknown = positions.filter((position) => {
      const { lane } = position;
      const known = this.readUpTo.get(lane);
      const from = known?.n === position.n ? known.upTo : position.n;
      if (!this.fresh.covers(from)) return true;
      this.note(found, position, this.fresh.after(from, lane, size), size, this.fresh.head);
      return false;
    });
    if (unknown.length === 0) return found;
    // What was announced may be on its way into the log. What is there by now, the statement sees.
    await this.fresh.settled();
    const { certainHead: head } = this.fresh;
    const { rows } = await this.db.enginePool.query<StoredEventRow>(this.sql, [unknown.map((p) => p.lane), unknown.map((p) => p.n), size]);
    const read = Map.groupBy(rows.map(toStoredEvent), (event) => event.lane);
    for (const position of unknown) this.note(found, position, read.get(position.lane) ?? [], size, head);
    return found;
  }

  private note(found: Map<number, SourcedEvent[]>, { lane, n }: LanePosition, events: SourcedEvent[], size: number, head: number): void {
    if (events.length > 0) found.set(lane, events);
    const last = events.at(-1)?.n ?? n;
    this.readUpTo.set(lane, { n: last, upTo: events.length < size ? Math.max(last, head) : last });
  }

  beginnings(): Promise<ReadonlyMap<number, number>> {
    return logBeginnings(this.db);
  }

  onWake(listener: () => void): () => void {
    return this.wakeUps.on(`log.${this.db.context}`, listener);
  }

  certain(n: number): Promise<void> | undefined {
    return this.fresh.certain(n);
  }

  onWithdrawn(listener: (last: number) => void): () => void {
    return this.fresh.onWithdrawn(listener);
  }
}
