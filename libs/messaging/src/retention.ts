import type { Logger } from '@nestjs/common';
import type { ContextDatabase } from '@nestbox/persistence';
import { forgetOldKeys } from './idempotency.js';
import type { Lease } from './leases.js';
import type { ReaderState } from './operations/reader-list.js';
import { dropPartition, ensurePartitions, type Partition, readPartitions } from './partitions.js';
import { Poller } from './poller.js';
import { type Unread, readUnread } from './unread.js';

/** How often to look what may go. Partitions take hours to fill. */
const LOOK_EVERY_MS = 300_000;
/** An attempt noted longer ago than this belongs to a story that has ended. */
const OLD_ATTEMPTS = "interval '7 days'";

export interface RetentionOptions {
  readonly db: ContextDatabase;
  readonly lease: Lease;
  readonly logger: Logger;
  /** Everybody who reads this context's events, and which contexts did not say whether they do. */
  readonly readers: () => Promise<{ readonly items: readonly ReaderState[]; readonly silent: readonly { readonly context: string }[] }>;
  /** Whether a relay copies the log: until it has, nothing goes. */
  readonly relayed: boolean;
  /** How long events stay although everybody has read them. */
  readonly keepMs: number;
  /** How long idempotency keys are known. */
  readonly keepKeysMs: number;
  /** A reader whose oldest unread event is older than this raises an alarm. */
  readonly alarmMs: number;
}

/** A reader that has not read for longer than allowed. */
export interface OverdueReader {
  readonly reader: string;
  /** Age of its oldest unread event. */
  readonly ageMs: number;
}

/** What the retention of a context found at its last look. */
export interface RetentionState {
  readonly context: string;
  readonly overdue: readonly OverdueReader[];
  /** Who or what keeps events that are old enough to go: readers by name, `sequencer`, `open transaction`, `<context> does not answer`. */
  readonly keptBy: readonly string[];
}

/**
 * Drops old partitions of a context's outbox and log, once their events are old enough and every reader has passed
 * them. A reader that does not come back keeps them, and raises an alarm: to lose its events, or to fill the disk
 * unnoticed, would both be worse. Runs in the process that has the context's sequencer.
 */
export class Retention {
  private readonly poller: Poller;
  /** Every position up to here belongs to a transaction that has ended. */
  private settled = 0;
  private mark: { position: number; writers: ReadonlySet<string> } | undefined;
  /** The last number in a partition that gets no more events. */
  private readonly lastNumbers = new Map<string, number>();
  private found: RetentionState | undefined;

  constructor(private readonly options: RetentionOptions) {
    const { db, logger } = options;
    this.poller = new Poller(() => this.look(), {
      everyMs: LOOK_EVERY_MS,
      retryMs: LOOK_EVERY_MS,
      onError: (error) => logger.warn(`Old events of "${db.context}" could not be looked after, trying again later: ${(error as Error).message}`),
    });
  }

  async start(): Promise<void> {
    this.poller.start();
  }

  stop(): Promise<void> {
    return this.poller.stop();
  }

  /** Undefined while another process does it. */
  get state(): RetentionState | undefined {
    return this.found;
  }

  /** Drops what may go, and notes who is overdue. */
  async look(): Promise<void> {
    const { db, lease, logger } = this.options;
    const { rows } = await db.enginePool.query<{ owner: string | null; head: string }>(`select owner, head from "${db.schema}".sequencer order by gen desc limit 1`);
    if (!lease.valid || rows[0]?.owner !== lease.instance) {
      this.found = undefined;
      return;
    }
    await ensurePartitions(db, logger);
    await db.enginePool.query(`delete from "${db.schema}".attempt where started_at < clock_timestamp() - ${OLD_ATTEMPTS}`);
    await forgetOldKeys(db, this.options.keepKeysMs);
    const handedOut = await this.settle();
    const unread = await this.unread();
    const partitions = (await readPartitions(db)).filter(({ state }) => state !== 'made');
    const keptBy = await this.dropOutbox(partitions.filter(({ table }) => table === 'outbox'), handedOut, unread);
    await this.dropLog(partitions.filter(({ table }) => table === 'log'), Number(rows[0].head));
    this.note({ context: db.context, keptBy, overdue: this.overdue(unread.readers) });
  }

  /**
   * Moves on to where no position is in doubt. A transaction locks the outbox before it gets a position, and until it
   * ends: once all that had it locked are over, so is every position handed out before.
   * @returns the newest position handed out
   */
  private async settle(): Promise<number> {
    const { db } = this.options;
    const outbox = `"${db.schema}".outbox`;
    const handedOut = await db.enginePool.query("select coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'position')), 0) as position", [outbox]);
    const position = Number(handedOut.rows[0].position);
    // A statement of its own, after the first.
    const locks = await db.enginePool.query<{ writer: string }>(
      `select virtualtransaction as writer from pg_locks
       where database = (select oid from pg_database where datname = current_database()) and relation = $1::regclass and mode <> 'AccessShareLock'`,
      [outbox],
    );
    const writers = new Set(locks.rows.map(({ writer }) => writer));
    const mark = (this.mark ??= { position, writers });
    if (![...writers].some((writer) => mark.writers.has(writer))) {
      this.settled = mark.position;
      this.mark = undefined;
    }
    return position;
  }

  private async unread(): Promise<{ readers: readonly Unread[]; silent: readonly string[] }> {
    const { db, relayed } = this.options;
    const { items, silent } = await this.options.readers();
    const missing = relayed && !items.some(({ reader }) => reader === 'relay') ? [{ reader: 'relay', lanes: [{ lane: 0, n: 0 }] }] : [];
    const reading = items.filter(({ reader }) => relayed || reader !== 'relay');
    return { readers: await readUnread(db, [...reading, ...missing]), silent: silent.map(({ context }) => `${context} does not answer`) };
  }

  /** Oldest first, as far as possible. @returns what has stopped it, unless that is their age */
  private async dropOutbox(partitions: readonly Partition[], handedOut: number, { readers, silent }: { readers: readonly Unread[]; silent: readonly string[] }): Promise<readonly string[]> {
    for (const partition of partitions) {
      if (partition.state === 'attached') {
        if (partition.to > handedOut + 1 || !(await this.isOld(partition))) return [];
        if (partition.to > this.settled + 1) return ['open transaction'];
        const last = await this.lastNumber(partition);
        if (last === undefined) return ['sequencer'];
        const waiting = readers.filter(({ next }) => next <= last).map(({ reader }) => reader);
        if (waiting.length > 0 || silent.length > 0) return [...waiting, ...silent];
      }
      if (!(await this.drop(partition))) return ['open transaction'];
    }
    return [];
  }

  /** A part of the log goes after every event it numbers: events without a number would get a second one. */
  private async dropLog(partitions: readonly Partition[], head: number): Promise<void> {
    const { db } = this.options;
    const oldest = (await readPartitions(db)).find(({ table, state }) => table === 'outbox' && state !== 'left');
    for (const partition of partitions) {
      if (partition.state === 'attached') {
        if (partition.to > head) return;
        const { rows } = await db.enginePool.query(`select 1 from ${partition.name} where position >= $1 limit 1`, [oldest!.from]);
        if (rows.length > 0) return;
      }
      if (!(await this.drop(partition))) return;
    }
  }

  private async drop(partition: Partition): Promise<boolean> {
    const { db, logger } = this.options;
    const dropped = await dropPartition(db, partition);
    if (dropped) logger.log(`Dropped ${partition.name}: its events are old and everybody has read them.`);
    return dropped;
  }

  private async isOld({ name }: Partition): Promise<boolean> {
    const { db, keepMs } = this.options;
    const { rows } = await db.enginePool.query(`select extract(epoch from clock_timestamp() - created_at) * 1000 as age from ${name} order by position desc limit 1`);
    return rows.length === 0 || Number(rows[0].age) >= keepMs;
  }

  /** The last number that the sequencer has given in a partition; undefined while it has still to give one. */
  private async lastNumber({ name, from, to }: Partition): Promise<number | undefined> {
    const { db } = this.options;
    let last = this.lastNumbers.get(name);
    if (last !== undefined) return last;
    const { rows } = await db.enginePool.query(
      `select (count(*) filter (where l.n is null))::int as missing, coalesce(max(l.n), 0) as last from ${name} o
       left join (select * from "${db.schema}".log where position >= $1 and position < $2) l using (position)`,
      [from, to],
    );
    if (rows[0].missing > 0) return undefined;
    this.lastNumbers.set(name, (last = Number(rows[0].last)));
    return last;
  }

  private overdue(readers: readonly Unread[]): OverdueReader[] {
    return readers.filter(({ ageMs }) => ageMs > this.options.alarmMs).map(({ reader, ageMs }) => ({ reader, ageMs }));
  }

  private note(state: RetentionState): void {
    const { logger } = this.options;
    const before = new Set(this.found?.overdue.map(({ reader }) => reader));
    for (const overdue of state.overdue) if (!before.has(overdue.reader)) logger.error(describeOverdue(state.context, overdue));
    this.found = state;
  }
}

/** The alarm about a reader, for people. */
export function describeOverdue(context: string, { reader, ageMs }: OverdueReader): string {
  const what = reader === 'relay' ? 'published' : 'handled';
  const cure = reader === 'relay' ? 'see why NATS does not take them' : 'see why it does not run (`reader list`, `trouble list`), or, if it is gone for good, forget it (`reader forget`)';
  return `"${reader}" has not ${what} events of "${context}" for ${Math.round(ageMs / 3_600_000)} h. They are kept until it has. What to do: ${cure}.`;
}
