import type { ContextDatabase } from '@nestbox/persistence';
import { inOneWrite, sqlState, type Statement } from '@nestbox/persistence';
import { escapeLiteral } from 'pg';
import type { Beat } from './heartbeat.js';
import type { Lease } from './leases.js';
import { claimed, type Generation, released } from './protocol/generation.js';

/** Generations of a lane that are all kept, so that it can be told which transaction has handled an event. */
const KEEP_GENERATIONS = 1_000;
/** Of older ones every hundredth is kept, for the time in between which an event was handled, as far back as this. */
const KEEP_SPARSELY = 100_000;

/** The lanes of a reader, as a heartbeat has found them. */
export interface LaneSight {
  /** The newest generation of each. */
  readonly rows: readonly Generation[];
  /** Lanes with a retry that is due or a person's request. */
  readonly troubled: readonly number[];
  /** The living members of the reader's group. */
  readonly members: readonly string[];
  readonly beat: Beat;
}

/** The generations of one reader's lanes in the database, which arbitrates by their primary key and nothing else. */
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

  /** Who this process is, as an owner of lanes. */
  get instance(): string {
    return this.lease.instance;
  }

  /** Announces this process and makes sure that every lane has a first generation, at its beginning or number 0. */
  async prepare(lanes: readonly number[], beginnings: ReadonlyMap<number, number> = new Map()): Promise<void> {
    await this.lease.join(this.member);
    await this.db.enginePool.query(
      `insert into ${this.table} (reader, source, lane, gen, n) select $1, $2, l, 0, n from unnest($3::smallint[], $4::bigint[]) x(l, n)
       where not exists (select 1 from ${this.table} where reader = $1 and source = $2 and lane = l) on conflict do nothing`,
      [this.reader, this.source, lanes, lanes.map((lane) => beginnings.get(lane) ?? 0)],
    );
  }

  /** Tells `seen` about the lanes at every heartbeat. Returns how to stop. */
  watch(lanes: readonly number[], seen: (sight: LaneSight) => void): () => void {
    const of = `reader = ${escapeLiteral(this.reader)} and source = ${escapeLiteral(this.source)}`;
    const sql = `select json_build_array(
        (select json_agg(json_build_array(lane, gen, n, owner, crashes, stream_created, stream_seq)) from unnest('{${lanes.join()}}'::smallint[]) wanted
         cross join lateral (select * from ${this.table} where ${of} and lane = wanted order by gen desc limit 1) newest),
        (select json_agg(distinct lane) from "${this.db.schema}".trouble
         where ${of} and (state = 'head' and next_at <= clock_timestamp() or state in ('head', 'dead') and request is not null)))`;
    return this.lease.watch(`lanes of ${this.member} ← ${this.source}`, {
      sql,
      heard: (answer, beat) => {
        const [rows, troubled] = JSON.parse(answer!) as [Row[] | null, number[] | null];
        seen({ rows: (rows ?? []).map(toGeneration), troubled: troubled ?? [], members: beat.members(this.member), beat });
      },
    });
  }

  /**
   * Takes lanes that were seen free. Returns them as they are now; without those that somebody else was faster to take,
   * or that are locked by a transaction of a dead owner, which the server is about to end.
   */
  claim(free: readonly Generation[]): Promise<Generation[]> {
    return this.append(free.map((newest) => claimed(newest, this.instance)));
  }

  /** Gives lanes back, so that others need not wait for the lease to run out. */
  async release(held: readonly Generation[]): Promise<void> {
    await this.append(held.map(released));
  }

  /**
   * The fence: the statement that appends a lane's next generation, first in every transaction of its owner. It stores
   * nothing where no such transaction has begun: committed alone, it would move the lane past events that nobody handled.
   * Nor behind a generation that is gone: after a failover that lost it, the effects of its events are gone, too.
   */
  fence({ lane, gen, n, owner, crashes, hint }: Generation): Statement {
    return {
      text: `insert into ${this.table} (reader, source, lane, gen, n, owner, crashes, stream_created, stream_seq)
        select $1, $2, $3::smallint, $4::bigint, $5::bigint, $6::uuid, $7::int, $8::timestamptz, $9::bigint where current_setting('nestbox.fence', true) = 'open'
          and exists (select from ${this.table} where reader = $1 and source = $2 and lane = $3 and gen = $4 - 1 and owner = $6)`,
      values: [this.reader, this.source, lane, gen, n, owner, crashes, hint?.created ?? null, hint?.sequence ?? null],
    };
  }

  /** Corrects the position of a generation that the open transaction has itself appended. */
  correct({ lane, gen, n, hint }: Generation): Statement {
    return {
      text: `update ${this.table} set n = $5, stream_created = $6, stream_seq = $7 where reader = $1 and source = $2 and lane = $3 and gen = $4`,
      values: [this.reader, this.source, lane, gen, n, hint?.created ?? null, hint?.sequence ?? null],
    };
  }

  /** Appends the next generation of each lane. Returns those that nobody else had appended, and that follow one that is there. */
  async append(rows: readonly Generation[]): Promise<Generation[]> {
    if (rows.length === 0) return [];
    const appended = (await this.insertSwiftly(rows)) ?? (await this.insertOneByOne(rows));
    return rows.filter(({ lane }) => appended.includes(lane));
  }

  /** Removes old generations of a lane, but none that was superseded within a minute: see `looksTrue`. */
  async prune(lane: number, gen: number): Promise<void> {
    await this.db.enginePool.query(
      `delete from ${this.table} where reader = $1 and source = $2 and lane = $3 and gen < $4 and (gen % 100 <> 0 or gen < $5)
         and at < clock_timestamp() - interval '1 minute'`,
      [this.reader, this.source, lane, gen - KEEP_GENERATIONS, gen - KEEP_SPARSELY],
    );
  }

  /** All at once; undefined when one of them is locked, by a transaction that the server has not ended yet. */
  private async insertSwiftly(rows: readonly Generation[]): Promise<number[] | undefined> {
    const client = await this.db.enginePool.connect();
    const { text, values } = this.insertion(rows);
    const [begun, inserted, ended] = await Promise.allSettled(
      inOneWrite(client, () => [client.query("begin; set local lock_timeout = '100ms'"), client.query<{ lane: number }>(text, values), client.query('commit')] as const),
    );
    client.release(begun.status === 'rejected' || ended.status === 'rejected');
    if (begun.status === 'rejected') throw begun.reason;
    if (inserted.status === 'rejected') {
      if (sqlState(inserted.reason) === '55P03') return undefined;
      throw inserted.reason;
    }
    if (ended.status === 'rejected') throw ended.reason;
    return inserted.value.rows.map(({ lane }) => lane);
  }

  private async insertOneByOne(rows: readonly Generation[]): Promise<number[]> {
    const appended: number[] = [];
    for (const row of rows) appended.push(...((await this.insertSwiftly([row])) ?? []));
    return appended;
  }

  private insertion(rows: readonly Generation[]) {
    return {
      text: `insert into ${this.table} (reader, source, lane, gen, n, owner, crashes, stream_created, stream_seq)
        select $1, $2, x.* from unnest($3::smallint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::int[], $8::timestamptz[], $9::bigint[]) x(lane, gen, n, owner, crashes, stream_created, stream_seq)
        where exists (select from ${this.table} c where c.reader = $1 and c.source = $2 and c.lane = x.lane and c.gen = x.gen - 1 and (c.n = x.n or c.owner = x.owner))
        on conflict do nothing returning lane`,
      values: [
        this.reader, this.source,
        rows.map(({ lane }) => lane), rows.map(({ gen }) => gen), rows.map(({ n }) => n), rows.map(({ owner }) => owner), rows.map(({ crashes }) => crashes),
        rows.map(({ hint }) => hint?.created ?? null), rows.map(({ hint }) => hint?.sequence ?? null),
      ],
    };
  }
}

/** A generation as the database prints it: lane, gen, n, owner, crashes, stream_created, stream_seq. */
type Row = readonly [number, number, number, string | null, number, string | null, number | null];

function toGeneration([lane, gen, n, owner, crashes, created, sequence]: Row): Generation {
  return { lane, gen, n, owner, crashes, ...(created !== null && sequence !== null && { hint: { created: new Date(created).toISOString(), sequence } }) };
}

/** The name under which processes announce that they take part in a reader: unique in a database with many contexts. */
export function memberName(reader: string, context: string): string {
  return reader === context ? reader : `${reader}:${context}`;
}
