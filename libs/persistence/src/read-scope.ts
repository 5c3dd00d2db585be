import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAbort, DeadlineExceeded, UsageError } from '@nestbox/kernel';
import type { PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import type { ContextDatabase } from './context-database.js';
import { isConnectionError, sqlState } from './statement.js';

/**
 * The read-only transaction around a query. It begins when the query first asks the entity manager for something. BEGIN and COMMIT
 * travel with the query's own statements, so it costs no round trip; a query that tries to write is refused by the database.
 */
export class ReadScope {
  private static readonly open = new AsyncLocalStorage<ReadScope>();

  private connecting: Promise<PoolClient> | undefined;
  private lent: EntityManager | undefined;
  private broken: Error | undefined;
  private ended = false;

  private constructor(private readonly db: ContextDatabase) {}

  /** @throws DeadlineExceeded when `signal` aborts first */
  static async run<T>(db: ContextDatabase, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const scope = new ReadScope(db);
    try {
      return await beforeAbort(() => ReadScope.open.run(scope, work), signal);
    } catch (error) {
      // The query may still use the connection: nobody else gets it.
      if (error instanceof DeadlineExceeded) scope.broken = error;
      throw sqlState(error) ? db.explained(error) : error;
    } finally {
      scope.end();
    }
  }

  /** The manager of the open read of this database, if there is one. */
  static manager(db: ContextDatabase): EntityManager | undefined {
    return ReadScope.of(db)?.manager;
  }

  /** Whether the open read of this database has begun its transaction; undefined when none is open. */
  static begun(db: ContextDatabase): boolean | undefined {
    const scope = ReadScope.of(db);
    return scope && scope.connecting !== undefined;
  }

  private static of(db: ContextDatabase): ReadScope | undefined {
    const scope = ReadScope.open.getStore();
    return scope?.db === db ? scope : undefined;
  }

  private get manager(): EntityManager {
    if (!this.lent) {
      const runner = this.db.dataSource.createQueryRunner();
      // Whatever TypeORM does on a runner, it asks it for the connection first.
      runner.connect = () => this.connect();
      this.lent = runner.manager;
    }
    return this.lent;
  }

  private connect(): Promise<PoolClient> {
    if (this.ended) return Promise.reject(new UsageError(`A query of "${this.db.context}" had already ended when it asked its database.`, 'await every promise inside the handler before it returns.'));
    return (this.connecting ??= this.begin());
  }

  private async begin(): Promise<PoolClient> {
    const client = await this.db.connect();
    client.query('begin read only').catch(this.note);
    return client;
  }

  /** The answer of the query does not wait for this; the connection does. */
  private end(): void {
    this.ended = true;
    this.connecting?.then(
      (client) => client.query('commit').catch(this.note).then(() => client.release(this.broken)),
      () => undefined,
    );
  }

  private readonly note = (error: Error): void => {
    if (isConnectionError(error)) this.broken = error;
  };
}
