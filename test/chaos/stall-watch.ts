import pg from 'pg';

const LOOK_EVERY = 200;

/** What the aggregates have raised, and what is in the ledgers. */
const COUNTS = `select
  (select coalesce(sum(steps), 0) from shop.basket)::int baskets, (select coalesce(sum(steps), 0) from desk.note)::int notes,
  (select count(*) from desk.shop)::int + (select count(*) from audit.shop)::int + (select count(*) from audit.totals)::int + (select count(*) from audit.desk)::int effects`;

/** From here on a stall is worth a line, in ms. */
const WORTH_A_LINE = 3_000;

/** Measures the longest time in which no effect was added although one was due. */
export class StallWatch {
  private readonly url: string;
  private readonly log: (line: string) => void;
  private readonly watching: Promise<void>;
  private over = false;
  private effects = 0;
  private events = 0;
  private longest = 0;

  constructor(url: string, log: (line: string) => void) {
    this.url = url;
    this.log = log;
    this.watching = this.watch();
  }

  async stop(): Promise<{ readonly longestMs: number; readonly events: number; readonly effects: number }> {
    this.over = true;
    await this.watching;
    return { longestMs: Math.round(this.longest), events: this.events, effects: this.effects };
  }

  private async watch(): Promise<void> {
    let movedAt = performance.now();
    let client: pg.Client | undefined;
    // One more look at the end: what it returns is how things stand then.
    for (let last = false; !last; ) {
      last = this.over;
      try {
        client ??= await this.connect();
        const { rows } = await client.query<{ baskets: number; notes: number; effects: number }>(COUNTS);
        const { baskets, notes, effects } = rows[0]!;
        this.events = baskets + notes;
        // Each step of a basket is due in three ledgers, each step of a note in one.
        const idle = effects === 3 * baskets + notes;
        if (idle || effects !== this.effects) {
          const stall = performance.now() - movedAt;
          if (stall > WORTH_A_LINE) this.log(`          nothing was handled for the last ${(stall / 1_000).toFixed(1)} s`);
          movedAt = performance.now();
        }
        this.effects = effects;
      } catch {
        // The database is away, which counts as a stall.
        await client?.end().catch(() => undefined);
        client = undefined;
      }
      this.longest = Math.max(this.longest, performance.now() - movedAt);
      if (!last) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'chaos judge', connectionTimeoutMillis: 1_000 });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}
