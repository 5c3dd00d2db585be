import type { Statement } from '@nestbox/persistence';
import type { Client, QueryConfig } from 'pg';
import { NumbersWithdrawn } from './fresh-events.js';

/** How long a statement may go unanswered, in ms. */
const PATIENCE_MS = 10_000;

/** An event with its number, as the log will have it. */
export interface NumberedRow {
  readonly n: number;
  readonly prev: number;
  readonly lane: number;
  readonly position: string | null;
}

/** What one statement appends, and promises to whoever waits for it. */
interface Batch extends PromiseWithResolvers<void> {
  readonly rows: NumberedRow[];
  /** Of the look that has found the last of them. */
  snap: string;
  /** The last number of each lane after them. */
  heads: readonly number[];
}

export interface LogAppenderOptions {
  /**
   * Of its own: transactions of readers that wait for the log could hold all those of a pool. It is older than every
   * snapshot that it stores; a server that has crashed since does not have it any more.
   */
  readonly client: Client;
  /** See {@link SequencerSql.number}; with the name that it is prepared under. */
  readonly statement: Pick<Statement, 'name' | 'text'>;
  readonly instance: string;
  /** The newest generation. */
  readonly gen: string;
  /** Called once, before anybody who waits is told; without an error when somebody else has become the owner. */
  readonly failed: (error?: unknown) => void;
}

/**
 * Appends numbered events to the log, one statement at a time: what comes meanwhile goes with the next. When one fails
 * nothing behind it is sent, since its numbers would follow on numbers that the log does not have.
 */
export class LogAppender {
  /** The newest generation that is stored. */
  gen: string;
  /** Generations appended so far. */
  appended = 0;
  private waiting: Batch | undefined;
  private sending: Batch | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly options: LogAppenderOptions) {
    this.gen = options.gen;
  }

  /**
   * Takes events with the numbers that follow on those of the last call.
   * @returns resolves when they are in the log
   * @throws NumbersWithdrawn
   */
  append(rows: readonly NumberedRow[], snap: string, heads: readonly number[]): Promise<void> {
    const batch = (this.waiting ??= { rows: [], snap, heads, ...Promise.withResolvers<void>() });
    batch.rows.push(...rows);
    Object.assign(batch, { snap, heads });
    batch.promise.catch(() => undefined);
    if (this.closed) this.close();
    // Readers who have waited for the events come first: to send takes longer than to begin with them.
    else this.running ??= new Promise(setImmediate).then(() => this.run());
    return batch.promise;
  }

  /** Waits for everything that was taken. @throws NumbersWithdrawn */
  async settled(): Promise<void> {
    const last = this.waiting ?? this.sending;
    await last?.promise;
  }

  /** Sends nothing more, and gives the connection back once the statement in progress has ended. */
  close(): void {
    this.waiting?.reject(new NumbersWithdrawn());
    this.waiting = undefined;
    if (this.closed) return;
    this.closed = true;
    const idle = this.running ?? Promise.resolve();
    idle.then(() => this.options.client.end()).catch(() => undefined);
  }

  private async run(): Promise<void> {
    for (let batch = this.next(); batch; batch = this.next()) {
      const [stored, error] = await this.send(batch).then((done) => [done, undefined] as const, (reason: unknown) => [false, reason] as const);
      if (stored) batch.resolve();
      else this.fail(batch, error);
    }
    this.running = undefined;
  }

  private next(): Batch | undefined {
    this.sending = this.waiting;
    this.waiting = undefined;
    return this.sending;
  }

  /** @returns whether the generation that it follows was still the newest */
  private async send({ rows, snap, heads }: Batch): Promise<boolean> {
    const { client, instance, statement: { name, text } } = this.options;
    const values = [this.gen, instance, rows.map(({ lane }) => lane), rows.map(({ prev }) => prev), rows.map(({ position }) => position), snap, heads];
    const answer = await client.query<{ gen: string }>({ ...(name && { name }), text, values, query_timeout: PATIENCE_MS } as QueryConfig);
    const [stored] = answer.rows;
    if (!stored) return false;
    this.gen = stored.gen;
    this.appended += 1;
    return true;
  }

  private fail(batch: Batch, error: unknown): void {
    this.options.failed(error);
    this.close();
    batch.reject(new NumbersWithdrawn());
  }
}
