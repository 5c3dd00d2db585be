import type { ContextDatabase } from '@nestbox/persistence';
import { LaneClaims } from './lane-claims.js';
import type { StoredEvent } from './envelope.js';
import type { Lease } from './leases.js';
import type { RelayLog } from './relay-log.js';
import { STORED_EVENT_COLUMNS, type StoredEventRow, toStoredEvent } from './stored-event-row.js';
import type { WakeUps } from './wake-ups.js';

/** The log of a context for its relay. The relay is a reader with one lane; the stream itself says how far it is. */
export class PostgresRelayLog implements RelayLog {
  private readonly claims: LaneClaims;
  private claim: { instance: string; gen: number; n: number } | undefined;

  constructor(private readonly db: ContextDatabase, private readonly lease: Lease, private readonly wakeUps: WakeUps) {
    this.claims = new LaneClaims(db, 'relay', db.context, lease);
  }

  get context(): string {
    return this.db.context;
  }

  async read(after: number, limit: number): Promise<StoredEvent[]> {
    const s = `"${this.db.schema}"`;
    const { rows } = await this.db.enginePool.query<StoredEventRow>(
      `select ${STORED_EVENT_COLUMNS} from (select * from ${s}.log where n > $1 order by n limit $2) l join ${s}.outbox o using (position) order by l.n`,
      [after, limit],
    );
    return rows.map(toStoredEvent);
  }

  async acquire(): Promise<boolean> {
    if (this.owned()) return true;
    if (!this.lease.valid) await this.lease.rejoin();
    await this.claims.prepare([0]);
    const claimed = await this.claims.claim(0);
    this.claim = claimed && { instance: this.lease.instance, gen: claimed.gen, n: claimed.n };
    return this.claim !== undefined;
  }

  owned(): boolean {
    return this.claim !== undefined && this.claim.instance === this.lease.instance && this.lease.valid;
  }

  async release(): Promise<void> {
    const { claim } = this;
    this.claim = undefined;
    if (claim && claim.instance === this.lease.instance) await this.claims.release([0]);
  }

  async note(n: number): Promise<void> {
    const { claim } = this;
    if (!claim || !this.owned() || claim.n === n) return;
    // Losing the race for the next generation means that another process is the relay now.
    const moved = await this.claims.move(0, claim.gen, n);
    if (moved) this.claim = { ...claim, gen: claim.gen + 1, n };
    else this.claim = undefined;
  }

  onWake(listener: () => void): () => void {
    return this.wakeUps.on(`log.${this.db.context}`, listener);
  }
}
