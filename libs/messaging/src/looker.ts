import type { ContextDatabase } from '@nestbox/persistence';
import type { Client, QueryConfig } from 'pg';
import type { StoredEventRow } from './stored-event-row.js';

/** How long a look may go unanswered, in ms. */
const PATIENCE_MS = 10_000;

/** What the server could see at a moment. */
export interface Snapshot {
  readonly xmax: string;
  readonly running: readonly string[];
}

/** An event without a number. */
export interface Found extends Omit<StoredEventRow, 'n' | 'prev'> {
  position: string | null;
  snap: string;
  replica: boolean;
}

/**
 * Looks for events that have no number, on a connection of its own. The plan is made once, since to plan takes six times
 * as long as to look. It has to be the one that uses the index, also when it is made while there are hardly any events.
 */
export class Looker {
  private constructor(private readonly db: ContextDatabase, private readonly text: string, private readonly client: Client) {}

  /** @param text as {@link SequencerSql.look} */
  static async open(db: ContextDatabase, text: string): Promise<Looker> {
    const client = await db.connectAlone();
    if (db.prepared.usable) await client.query('set plan_cache_mode = force_generic_plan; set enable_seqscan = off');
    return new Looker(db, text, client);
  }

  /** What has become visible since a snapshot; one row without a position when that is nothing. */
  async look({ xmax, running }: Snapshot): Promise<Found[]> {
    const { name, text } = this.db.prepared.named({ text: this.text, values: [] });
    const { rows } = await this.client.query<Found>({ ...(name && { name }), text, values: [xmax, running], query_timeout: PATIENCE_MS } as QueryConfig);
    return rows;
  }

  close(): void {
    this.client.end().catch(() => undefined);
  }
}

/** `xmin:xmax:xid,xid,…` as Postgres prints a snapshot. */
export function parseSnapshot(text: string): Snapshot {
  const [, xmax, running] = text.split(':');
  return { xmax: xmax!, running: running ? running.split(',') : [] };
}
