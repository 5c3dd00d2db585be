import type { ContextDatabase } from '@nestbox/persistence';
import type { SourcedEvent } from './envelope.js';
import type { EventSource, LanePosition } from './source.js';
import { STORED_EVENT_COLUMNS, type StoredEventRow, toStoredEvent } from './stored-event-row.js';
import type { WakeUps } from './wake-ups.js';

/** Follows the log of a context in the same process, without a broker. */
export class LogSource implements EventSource {
  private readonly sql: string;

  constructor(private readonly db: ContextDatabase, private readonly wakeUps: WakeUps) {
    const s = `"${db.schema}"`;
    this.sql = `select ${STORED_EVENT_COLUMNS}
      from unnest($1::smallint[], $2::bigint[]) c(lane, n)
      cross join lateral (select * from ${s}.log where lane = c.lane and n > c.n order by n limit $3) l
      join ${s}.outbox o using (position) order by l.lane, l.n`;
  }

  get context(): string {
    return this.db.context;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async fetch(positions: readonly LanePosition[], size: number): Promise<Map<number, SourcedEvent[]>> {
    const { rows } = await this.db.enginePool.query<StoredEventRow>(this.sql, [positions.map((p) => p.lane), positions.map((p) => p.n), size]);
    return Map.groupBy(rows.map(toStoredEvent), (event) => event.lane);
  }

  onWake(listener: () => void): () => void {
    return this.wakeUps.on(`log.${this.db.context}`, listener);
  }
}
