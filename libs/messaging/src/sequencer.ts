import type { Logger } from '@nestjs/common';
import { type ContextDatabase, sqlState } from '@nestbox/persistence';
import type { Lease } from './leases.js';
import { ensurePartitions } from './partitions.js';
import { Poller } from './poller.js';
import { type SequencerSql, sequencerSql } from './sequencer-sql.js';
import type { WakeUps } from './wake-ups.js';

/** How often to look for events nobody announced, and whether the owner still lives. */
const POLL_MS = 1_000;
/** Generations kept for reading the history; older rows are pruned. */
const KEEP_GENERATIONS = 100;

interface Ownership {
  readonly instance: string;
  gen: string;
  snap: Snapshot;
  sincePrune: number;
}

interface Snapshot {
  readonly xmax: string;
  readonly running: readonly string[];
}

interface Advance {
  n: number;
  gen: string | null;
  snap: string;
  mine: boolean;
  replica: boolean;
}

/**
 * Gives the committed events of a context their number in the log. Transactions commit out of order, so it takes the
 * difference of two snapshots (rows visible now that were not visible at the last look) and never waits for a
 * transaction that is still open. One owner per context; a second one fails on a primary key and changes nothing.
 */
export class Sequencer {
  private readonly sql: SequencerSql;
  private readonly reader: string;
  private readonly poller: Poller;
  private owned: Ownership | undefined;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly db: ContextDatabase,
    private readonly lease: Lease,
    private readonly wakeUps: WakeUps,
    private readonly logger: Logger,
  ) {
    this.sql = sequencerSql(db.schema);
    this.reader = `sequencer:${db.context}`;
    this.poller = new Poller(() => this.turn(), POLL_MS, (error) => this.failed(error));
  }

  async start(): Promise<void> {
    await this.lease.join(this.reader);
    this.unsubscribe = this.wakeUps.on(`commit.${this.db.context}`, () => this.poller.poke());
    this.poller.start();
  }

  async stop(): Promise<void> {
    this.unsubscribe?.();
    await this.poller.stop();
    const { owned } = this;
    this.owned = undefined;
    if (owned) await this.db.enginePool.query(this.sql.release, [owned.gen, owned.instance]).catch(() => undefined);
  }

  private async turn(): Promise<void> {
    if (!this.lease.valid) {
      this.owned = undefined;
      await this.lease.rejoin();
    }
    this.owned ??= await this.takeOver();
    if (!this.owned) return;
    const advanced = await this.run(this.owned, this.sql.advance, [this.owned.snap.xmax, this.owned.snap.running]);
    if (advanced > 0) this.wakeUps.poke(`log.${this.db.context}`);
  }

  private async takeOver(): Promise<Ownership | undefined> {
    const { rows } = await this.db.enginePool.query(this.sql.newest, [this.reader]);
    const [newest] = rows as { gen: string; owner: string | null; snap: string; alive: boolean; system_id: string; timeline: number; forward: boolean; current_system_id: string; current_timeline: number }[];
    if (!newest || newest.alive) return undefined;
    const { instance } = this.lease;
    const taken = await this.db.enginePool.query(this.sql.takeOver, [newest.gen, instance, this.reader]);
    if (taken.rows.length === 0) return undefined;
    const owned: Ownership = { instance, gen: taken.rows[0].gen, snap: parseSnapshot(taken.rows[0].snap), sincePrune: 0 };
    const sameServer = newest.system_id === newest.current_system_id && newest.timeline === newest.current_timeline && newest.forward;
    if (!sameServer) {
      const found = await this.run(owned, this.sql.recover, []);
      this.logger.warn(`The database of "${this.db.context}" was restored or has failed over: transaction ids start again. Numbered ${found} events that had no number.`);
    }
    await ensurePartitions(this.db, this.logger);
    return owned;
  }

  /** Returns how many events were numbered. */
  private async run(owned: Ownership, sql: string, bounds: readonly unknown[]): Promise<number> {
    const { rows } = await this.db.enginePool.query(sql, [owned.gen, owned.instance, ...bounds]);
    const [result] = rows as Advance[];
    if (!result!.mine || result!.replica) {
      this.owned = undefined;
      if (result!.replica) this.logger.error(`"${this.db.context}" is connected to a standby, whose snapshots lack open transactions: nothing is published until it is connected to the primary.`);
      return 0;
    }
    owned.snap = parseSnapshot(result!.snap);
    if (result!.gen) {
      owned.gen = result!.gen;
      owned.sincePrune += 1;
    }
    if (owned.sincePrune >= KEEP_GENERATIONS) await this.tidy(owned);
    return result!.n;
  }

  private async tidy(owned: Ownership): Promise<void> {
    owned.sincePrune = 0;
    await this.db.enginePool.query(`delete from "${this.db.schema}".sequencer where gen < $1::bigint - ${KEEP_GENERATIONS}`, [owned.gen]);
    await ensurePartitions(this.db, this.logger);
  }

  private failed(error: unknown): void {
    this.owned = undefined;
    // 23505: another process has become the owner, as it should when this one was slow.
    if (sqlState(error) !== '23505') this.logger.warn(`The sequencer of "${this.db.context}" could not work and tries again: ${(error as Error).message}`);
  }
}

/** `xmin:xmax:xid,xid,…` as Postgres prints a snapshot. */
function parseSnapshot(text: string): Snapshot {
  const [, xmax, running] = text.split(':');
  return { xmax: xmax!, running: running ? running.split(',') : [] };
}
