import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import pg from 'pg';
import { SubjectProcess } from '../proof/subject-process.ts';
import type { Theatre } from './theatre.ts';
import { isClean, judge, type Verdict } from '../proof/verdict.ts';

export type Mode = 'in-process' | 'nats';

/** After so many ms without any new effect nothing is expected any more: retries back off, and leases run out first. */
const DRAIN_PATIENCE = 60_000;
const LOOK_EVERY = 50;
let stages = 0;

/** A database and a NATS namespace on which one process after the other lives and dies; the effects stay. */
export class Stage {
  /** The highest step of each basket that a command was answered with. */
  readonly acknowledged = new Map<string, number>();
  readonly mode: Mode;
  readonly theatre: Theatre;
  readonly name: string;
  readonly url: string;
  readonly log: string;
  private readonly processes = new Set<SubjectProcess>();
  private readonly holders = new Set<pg.Client>();
  private client: pg.Client | undefined;

  private constructor(theatre: Theatre, mode: Mode) {
    this.theatre = theatre;
    this.mode = mode;
    this.name = `${theatre.name}_${++stages}`;
    const url = new URL(theatre.postgresUrl);
    url.pathname = `/${this.name}`;
    this.url = url.href;
    this.log = path.join(theatre.folder, `${this.name}.log`);
  }

  /** @param template a stage whose database is copied; without it, the database is empty */
  static async open(theatre: Theatre, mode: Mode, template?: Stage): Promise<Stage> {
    const stage = new Stage(theatre, mode);
    await stage.onServer(`create database ${stage.name}${template ? ` template ${template.name}` : ''}`);
    return stage;
  }

  async close(): Promise<void> {
    await this.killAll();
    await this.disconnect();
    await this.onServer(`drop database ${this.name} with (force)`);
    if (this.mode === 'nats') await this.onStreams((manager, stream) => manager.streams.delete(stream));
  }

  /** Starts a process; `crash` is what the loader is told. */
  start(options: { readonly role?: string; readonly natsUrl?: string; readonly databaseUrl?: string; readonly crash?: Readonly<Record<string, string>> } = {}): SubjectProcess {
    const { role = 'all', natsUrl = this.theatre.natsUrl, databaseUrl = this.url, crash } = options;
    const env = { DATABASE_URL: databaseUrl, NATS_URL: natsUrl, NATS_NAMESPACE: this.name, EVENTS: this.mode, ROLE: role, NO_COLOR: '1', NODE_COMPILE_CACHE: path.join(this.theatre.folder, 'compiled'), ...crash };
    const process = new SubjectProcess({
      env, log: this.log,
      ...(crash && { preload: new URL('./crash-loader.ts', import.meta.url) }),
      ...(role === 'zombie' && { program: new URL('./zombie.ts', import.meta.url) }),
    });
    this.processes.add(process);
    void process.over.then(() => this.processes.delete(process));
    return process;
  }

  /** As when the power fails. Locks go, too: a scenario that its target's death has cut short never releases them. */
  async killAll(): Promise<void> {
    await Promise.all([...this.processes].map((process) => process.kill()));
    await Promise.all([...this.holders].map((client) => this.release(client)));
  }

  async sql<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await (await this.connected()).query<Row>(text, values as unknown[])).rows;
  }

  /** Runs a statement whose locks are held until they are released, or everything is killed. */
  async holding(statement: string): Promise<{ client: pg.Client; release(): Promise<void> }> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'crash points' });
    client.on('error', () => undefined);
    await client.connect();
    this.holders.add(client);
    await client.query('begin');
    await client.query(statement);
    return { client, release: () => this.release(client) };
  }

  async judge(): Promise<Verdict> {
    return judge(await this.connected(), this.acknowledged);
  }

  /**
   * Starts a process that nothing happens to, repairs what was broken, asks for what waits for a person to be tried
   * again, and waits for the effects, as long as more of them come.
   */
  async heal(): Promise<Verdict> {
    await this.killAll();
    // A database that was never migrated has nothing to repair.
    const [found] = await this.sql<{ broken: string | null }>("select to_regclass('desk.broken') broken");
    if (found!.broken) await this.sql('delete from desk.broken');
    const healthy = this.start();
    if (!(await healthy.ready())) throw new Error(`The process that was to heal everything did not start: see ${this.log}`);
    let patience = performance.now() + DRAIN_PATIENCE;
    let missing = Infinity;
    for (;;) {
      await this.replayDead();
      const verdict = await this.judge();
      if (verdict.lost.length < missing) {
        missing = verdict.lost.length;
        patience = performance.now() + DRAIN_PATIENCE;
      }
      const over = performance.now() > patience;
      if (isClean(verdict) || over) {
        // What comes too late or twice may still come; and whoever stops must have nothing in progress.
        healthy.signal('SIGTERM');
        await healthy.over;
        return over ? verdict : this.judge();
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    }
  }

  /** What a person would do about events that have failed for good, or have come without their payload. */
  async replayDead(): Promise<void> {
    for (const schema of ['desk', 'audit']) {
      await this.sql(`update ${schema}.trouble t set asked = asked + 1, request = case when state in ('head', 'dead') then 'replay' end, edited = event - 'tombstone' || jsonb_build_object('payload', o.payload)
        from (select id, payload from shop.outbox union all select id, payload from desk.outbox) o where t.event ? 'tombstone' and t.edited is null and o.id::text = t.event->>'id'`);
      await this.sql(`update ${schema}.trouble set request = 'replay', asked = asked + 1 where state = 'dead' and request is null`);
    }
  }

  /** Does something with every stream of this stage. */
  async onStreams(work: (manager: Awaited<ReturnType<typeof jetstreamManager>>, stream: string) => Promise<unknown>): Promise<void> {
    const connection = await connect({ servers: this.theatre.natsUrl });
    try {
      const manager = await jetstreamManager(connection);
      const names: string[] = [];
      for await (const { config } of manager.streams.list()) names.push(config.name);
      for (const name of names) if (name.startsWith(`${this.name.toUpperCase()}_`)) await work(manager, name);
    } finally {
      await connection.close();
    }
  }

  /** Ends the stream of a context with an event that no log of this database has. */
  async claimStream(context: string): Promise<void> {
    const connection = await connect({ servers: this.theatre.natsUrl });
    try {
      const stream = `${this.name.toUpperCase()}_EVT_${context}`;
      const { streams } = await jetstreamManager(connection);
      const last = await streams.getMessage(stream, { seq: (await streams.info(stream)).state.last_seq });
      const strange = headers();
      for (const [name, [value = '']] of last!.header) strange.set(name, value);
      strange.set('ce-id', randomUUID());
      strange.set('Nestbox-N', '1000000');
      strange.set('Nestbox-Prev', '999999');
      for (const name of strange.keys()) if (name.startsWith('Nats-')) strange.delete(name);
      await jetstream(connection).publish(last!.subject, last!.data, { headers: strange });
    } finally {
      await connection.close();
    }
  }

  /** Templates can be copied only while nobody is connected. */
  async disconnect(): Promise<void> {
    await this.client?.end();
    this.client = undefined;
  }

  private async release(client: pg.Client): Promise<void> {
    this.holders.delete(client);
    await client.end();
  }

  private async connected(): Promise<pg.Client> {
    if (!this.client) {
      const client = new pg.Client({ connectionString: this.url, application_name: 'crash points' });
      client.on('error', () => undefined);
      await client.connect();
      this.client = client;
    }
    return this.client;
  }

  private async onServer(statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.theatre.postgresUrl, application_name: 'crash points' });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  }
}
