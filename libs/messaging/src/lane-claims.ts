import type { ContextDatabase } from '@nestbox/persistence';
import type { Lease } from './leases.js';
import type { StreamHint } from './envelope.js';
import type { Statement } from '@nestbox/persistence';

/** A lane as its new owner finds it. */
export interface ClaimedLane {
  readonly lane: number;
  readonly gen: number;
  readonly n: number;
  /** How many owners in a row have died while they held it. */
  readonly crashes: number;
  readonly hint?: StreamHint;
}

/**
 * The generations of one reader's lanes. The newest row of a lane is its position, its owner and its fence in one;
 * whoever appends the next generation first is right, everybody else fails on the primary key.
 */
export class LaneClaims {
  private readonly table: string;
  private readonly member: string;

  constructor(
    private readonly db: ContextDatabase,
    private readonly reader: string,
    private readonly source: string,
    private readonly lease: Lease,
  ) {
    this.table = `"${db.schema}".cursor`;
    this.member = memberName(reader, db.context);
  }

  /** Announces this process and makes sure that every lane has a first generation, at number 0. */
  async prepare(lanes: readonly number[]): Promise<void> {
    await this.lease.join(this.member);
    await this.db.enginePool.query(
      `insert into ${this.table} (reader, source, lane, gen, n) select $1, $2, l, 0, 0 from unnest($3::smallint[]) l
       where not exists (select 1 from ${this.table} where reader = $1 and source = $2 and lane = l) on conflict do nothing`,
      [this.reader, this.source, lanes],
    );
  }

  /** How many processes are alive in this reader's group. */
  async members(): Promise<{ count: number; rank: number }> {
    const { rows } = await this.db.enginePool.query(
      `select count(*)::int count, count(*) filter (where instance < $2)::int rank from nb.member where reader = $1 and until > clock_timestamp()`,
      [this.member, this.lease.instance],
    );
    return rows[0];
  }

  /** Lanes whose owner is gone. */
  async free(): Promise<number[]> {
    const { rows } = await this.db.enginePool.query(
      `select lane from (select distinct on (lane) lane, owner from ${this.table} where reader = $1 and source = $2 order by lane, gen desc) x
       where not exists (select 1 from nb.member m where m.reader = $3 and m.instance = x.owner and m.until > clock_timestamp())`,
      [this.reader, this.source, this.member],
    );
    return rows.map((row) => row.lane);
  }

  /** Takes one lane, unless a living process owns it. */
  async claim(lane: number): Promise<ClaimedLane | undefined> {
    const { rows } = await this.db.enginePool.query(
      `insert into ${this.table}
       select x.reader, x.source, x.lane, x.gen + 1, x.n, $4, x.crashes + (x.owner is not null)::int, x.stream_created, x.stream_seq
       from (select * from ${this.table} where reader = $1 and source = $2 and lane = $3 order by gen desc limit 1) x
       where not exists (select 1 from nb.member m where m.reader = $5 and m.instance = x.owner and m.until > clock_timestamp())
       on conflict do nothing returning gen, n, crashes, stream_created, stream_seq`,
      [this.reader, this.source, lane, this.lease.instance, this.member],
    );
    const [row] = rows;
    if (!row) return undefined;
    const hint = row.stream_seq && { created: row.stream_created.toISOString(), sequence: Number(row.stream_seq) };
    return { lane, gen: Number(row.gen), n: Number(row.n), crashes: row.crashes, ...(hint && { hint }) };
  }

  /** The fence: the statement that appends the lane's next generation, first in every transaction of its owner. */
  fence(lane: number, gen: number, n: number, hint?: StreamHint, crashes = 0): Statement {
    return {
      text: `insert into ${this.table} (reader, source, lane, gen, n, owner, crashes, stream_created, stream_seq) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      values: [this.reader, this.source, lane, gen + 1, n, this.lease.instance, crashes, hint?.created ?? null, hint?.sequence ?? null],
    };
  }

  /** Appends the next generation by itself; false when somebody else has. */
  async move(lane: number, gen: number, n: number): Promise<boolean> {
    const { text, values } = this.fence(lane, gen, n);
    const { rowCount } = await this.db.enginePool.query(`${text} on conflict do nothing`, values as unknown[]);
    if (gen % 100 === 0) await this.prune(lane, gen);
    return rowCount === 1;
  }

  /** Gives lanes back, so that others need not wait for the lease to run out. */
  async release(lanes: readonly number[]): Promise<void> {
    await this.db.enginePool.query(
      `insert into ${this.table}
       select reader, source, lane, gen + 1, n, null, 0, stream_created, stream_seq
       from (select distinct on (lane) * from ${this.table} where reader = $1 and source = $2 and lane = any($3) order by lane, gen desc) x
       where owner = $4 on conflict do nothing`,
      [this.reader, this.source, lanes, this.lease.instance],
    );
  }

  /** Removes old generations of a lane. */
  async prune(lane: number, gen: number): Promise<void> {
    await this.db.enginePool.query(`delete from ${this.table} where reader = $1 and source = $2 and lane = $3 and gen < $4`, [this.reader, this.source, lane, gen - 100]);
  }
}

/** The name under which processes announce that they take part in a reader: unique in a database with many contexts. */
export function memberName(reader: string, context: string): string {
  return reader === context ? reader : `${reader}:${context}`;
}
