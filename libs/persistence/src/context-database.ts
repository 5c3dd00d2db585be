import pg from 'pg';
import { DataSource, type EntityManager, type EntitySchema, type MigrationInterface } from 'typeorm';
import { UsageError } from '@nestbox/kernel';
import { DatabaseUnavailable } from './errors.js';
import { migrateContext, revertContext } from './migrations.js';
import type { OutboxWriter } from './outbox-writer.js';
import { ReadScope } from './read-scope.js';
import { isConnectionError } from './statement.js';
import { Transaction } from './transaction.js';
import { UnitOfWork } from './unit-of-work.js';

export type MigrationClass = new () => MigrationInterface;

export interface ContextDatabaseOptions {
  /** Name of the context; its tables live in the Postgres schema of the same name. */
  readonly context: string;
  readonly url: string;
  readonly entities?: readonly EntitySchema[];
  readonly migrations?: readonly MigrationClass[];
  /** Connections for commands and queries; the engine has its own. Default 10. */
  readonly poolSize?: number;
  /** Connections for the messaging engine. Default 6. */
  readonly enginePoolSize?: number;
  /** Where warnings go. */
  readonly warn?: (message: string) => void;
}

/** How long to wait for a connection, in ms. */
const CONNECT_TIMEOUT = 5_000;

/** The database of one context: its schema, its connections, its migrations. */
export class ContextDatabase {
  readonly context: string;
  /** TypeORM's view, for reads. */
  readonly dataSource: DataSource;
  /** Connections of the messaging engine, so that a flood of commands cannot starve it. */
  readonly enginePool: pg.Pool;
  /** Stores the events of this context; the messaging library sets it. */
  outbox: OutboxWriter | undefined;
  private orders = 0;
  private readonly users: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  constructor(private readonly options: ContextDatabaseOptions) {
    this.context = options.context;
    this.dataSource = new DataSource({
      type: 'postgres',
      url: options.url,
      schema: options.context,
      applicationName: `nestbox ${options.context}`,
      entities: [...(options.entities ?? [])],
      migrations: [...(options.migrations ?? [])],
      migrationsTableName: 'migrations',
      poolSize: options.poolSize ?? 10,
      connectTimeoutMS: CONNECT_TIMEOUT,
      poolErrorHandler: (error: Error) => this.warn(`A database connection of "${this.context}" was lost: ${error.message}`),
      extra: { pipeline: true },
      entitySkipConstructor: true,
      installExtensions: false,
      logging: false,
    });
    this.enginePool = new pg.Pool({
      connectionString: options.url,
      application_name: `nestbox ${options.context} engine`,
      max: options.enginePoolSize ?? 6,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      keepAlive: true,
      pipeline: true,
    } as pg.PoolConfig);
    this.enginePool.on('error', (error) => this.warn(`A database connection of the engine of "${this.context}" was lost: ${error.message}`));
  }

  get schema(): string {
    return this.context;
  }

  get url(): string {
    return this.options.url;
  }

  /** TypeORM's manager for reads: on the transaction of the open unit of work or query, if there is one. */
  get manager(): EntityManager {
    return ReadScope.manager(this) ?? UnitOfWork.of(this, 'The entity manager')?.manager ?? this.dataSource.manager;
  }

  /** Opens the connections. @throws what pg says when the database cannot be reached */
  async open(): Promise<void> {
    await this.dataSource.initialize();
  }

  /** Runs the pending migrations; safe when several instances start at once. Returns the names of those that ran. */
  migrate(): Promise<string[]> {
    return migrateContext(this);
  }

  /** Undoes all migrations, newest first. Returns their names. */
  revert(): Promise<string[]> {
    return revertContext(this);
  }

  /** Registers what works on this database until it is closed, and must end before. */
  beforeClose(stop: () => Promise<void>): void {
    this.users.push(stop);
  }

  /** Waits for whoever works on the database, then closes the connections. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      for (const stop of this.users) await stop();
      await this.enginePool.end();
      if (this.dataSource.isInitialized) await this.dataSource.destroy();
    })();
    return this.closing;
  }

  /** Nest calls it last, once requests and the engine have ended. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /** A connection of the pool for commands. @throws DatabaseUnavailable */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw isConnectionError(error) ? new DatabaseUnavailable(this.context, { cause: error }) : error;
    }
  }

  /** One statement on any connection, outside of transactions. @throws DatabaseUnavailable */
  async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult<R>> {
    const client = await this.connect();
    try {
      const result = await client.query<R>(text, values as unknown[]);
      client.release();
      return result;
    } catch (error) {
      client.release(isConnectionError(error) ? (error as Error) : undefined);
      throw isConnectionError(error) ? new DatabaseUnavailable(this.context, { cause: error }) : error;
    }
  }

  /**
   * Begins a transaction. BEGIN is constant and waited for: were it sent blindly and failed, the statements behind
   * it would each commit on their own.
   */
  async begin(): Promise<Transaction> {
    const client = await this.connect();
    try {
      await client.query('begin');
    } catch (error) {
      client.release(error as Error);
      throw new DatabaseUnavailable(this.context, { cause: error });
    }
    return new Transaction(client, this.dataSource);
  }

  /** Runs `work`, a query, in a transaction that can only read. */
  read<T>(work: () => Promise<T>): Promise<T> {
    return ReadScope.run(this, work);
  }

  /** @throws UsageError when the context stores no events because no messaging engine was set up */
  requireOutbox(): OutboxWriter {
    if (this.outbox) return this.outbox;
    throw new UsageError(`An event was raised in "${this.context}", which has no outbox.`, 'import MessagingModule.forRoot(…) in the application.');
  }

  /** Numbers stores in the order of their creation, which is the order in which they are written. */
  nextOrder(): number {
    return this.orders++;
  }

  warn(message: string): void {
    this.options.warn?.(message);
  }

  /** The pool that TypeORM uses too. */
  get pool(): pg.Pool {
    return (this.dataSource.driver as unknown as { master: pg.Pool }).master;
  }
}
