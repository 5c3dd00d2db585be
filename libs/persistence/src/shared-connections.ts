import type { PoolClient } from 'pg';
import type { ContextDatabase } from './context-database.js';
import { DatabaseUnavailable, TransactionLeftOpen } from './errors.js';
import { isConnectionError } from './statement.js';
import { UnitOfWork } from './unit-of-work.js';

/** How many connections are shared: more make the server switch between its processes, and no work end sooner. */
const MOST = 4;
/** How many may have work under way on one, and fail together when it is lost. */
const MOST_ON_ONE = 8;
/** A connection that has answered nothing for so long waits for something, in ms: what comes now does not wait with it. */
const STALLED_AFTER = 50;

/** What is sent on a connection: statements at once, which the server can run behind those of others. */
type Work<T> = (client: PoolClient) => Promise<T>;

class Connection {
  /** How many pieces of work are under way on it. */
  users = 0;
  answeredAt = performance.now();
  private over = false;

  constructor(readonly client: Promise<PoolClient>) {}

  /** Gives it back to the pool; with an error, it is closed. */
  giveBack(error?: Error): void {
    if (this.over) return;
    this.over = true;
    this.client.then(
      (client) => client.release(error),
      () => undefined,
    );
  }
}

/**
 * Connections of the pool on which several callers have work under way at once: what one sends, the server finds in its socket as
 * soon as it is done with what others have sent before. Neither waits for the other's answer, and the server's process does not
 * fall asleep in between. Each piece of work is a transaction of its own, so this is for work that has all its statements
 * in front of one Sync, and that waits for nobody: one that waits for a lock would make those behind it wait, too.
 * At most half of the pool is shared; behind a pooler, which shares by itself, nothing is.
 */
export class SharedConnections {
  private readonly shared: Connection[] = [];
  private readonly most: number;

  constructor(private readonly db: ContextDatabase, poolSize: number) {
    this.most = Math.min(MOST, Math.floor(poolSize / 2));
  }

  /**
   * Runs work on a connection that others may use at the same time.
   * @throws DatabaseUnavailable without a connection, and what the work throws
   */
  async run<T>(work: Work<T>): Promise<T> {
    const connection = this.choose();
    if (!connection) return this.runAlone(work);
    connection.users++;
    try {
      const client = await connection.client;
      return await work(client);
    } catch (error) {
      if (error instanceof DatabaseUnavailable || isUnusableAfter(error)) this.close(connection, error as Error);
      throw error;
    } finally {
      connection.answeredAt = performance.now();
      if (--connection.users === 0) this.close(connection);
    }
  }

  /** Runs work on a connection that nobody else uses meanwhile. @throws as {@link run} */
  async runAlone<T>(work: Work<T>): Promise<T> {
    const client = await this.db.connect();
    let broken: Error | undefined;
    try {
      return await work(client);
    } catch (error) {
      if (isUnusableAfter(error)) broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** The one with the least to do; none when all of them have stalled, or have enough, and for who has a transaction open. */
  private choose(): Connection | undefined {
    // Behind one that waits for a lock of the transaction that waits for this, nobody would ever go on, and the server would see no deadlock.
    if (!this.db.pipelines || !this.db.prepared.usable || UnitOfWork.insideTransaction) return undefined;
    const now = performance.now();
    let best: Connection | undefined;
    for (const connection of this.shared) {
      const { users, answeredAt } = connection;
      if (users < (best?.users ?? MOST_ON_ONE) && now - answeredAt < STALLED_AFTER) best = connection;
    }
    if (this.shared.length >= this.most) return best;
    const { pool } = this.db;
    // Rather than wait for others to give one back.
    if (best && pool.idleCount === 0 && pool.totalCount >= pool.options.max) return best;
    return this.open();
  }

  private open(): Connection {
    const connection = new Connection(this.db.connect());
    this.shared.push(connection);
    return connection;
  }

  private close(connection: Connection, error?: Error): void {
    const index = this.shared.indexOf(connection);
    if (index >= 0) this.shared.splice(index, 1);
    connection.giveBack(error);
  }
}

function isUnusableAfter(error: unknown): boolean {
  return isConnectionError(error) || error instanceof TransactionLeftOpen;
}
