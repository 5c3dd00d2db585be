import pg from 'pg';
import { DataSource, type EntityManager, type EntitySchema, type MigrationInterface, type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import { UsageError } from '@nestbox/kernel';
import { DatabaseUnavailable } from './errors.js';
import { migrateContext, revertContext } from './migrations.js';
import type { OutboxWriter } from './outbox-writer.js';
import { PreparedStatements } from './prepared-statements.js';
import { type Row, readRows } from './read-rows.js';
import { ReadScope } from './read-scope.js';
import { SharedConnections } from './shared-connections.js';
import { isUnavailable, sqlState, type Statement } from './statement.js';
import { selectTenantRows } from './tenant-rows.js';
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
  /** Connections for the messaging engine. Default 4. */
  readonly enginePoolSize?: number;
  /** Whether statements are sent ahead of the answers to those before. Default true. */
  readonly pipeline?: boolean;
  /** How long a statement may go unanswered before its connection counts as broken, in ms. Default: for ever. */
  readonly answerTimeoutMs?: number;
  /** Where warnings go. */
  readonly warn?: (message: string) => void;
}

/** How long to wait for a connection, in ms: for the server, or for others to give one back. */
const CONNECT_TIMEOUT = 10_000;
/** The same as `answerTimeoutMs` for what the engine asks: the server ends its transactions sooner than that. */
const ENGINE_ANSWER_TIMEOUT = 10_000;
/** A host that is gone is noticed by the kernel about ten seconds after this time of silence, in ms. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 1_000 } as const;

/**
 * A connection that the server ends while somebody holds it and asks nothing would end the process, because the pool
 * listens only to those that nobody holds. Whoever holds it learns of the end from its next statement.
 */
function surviveItsEnd(client: pg.ClientBase): void {
  client.on('error', () => undefined);
}

/** The database of one context: its schema, its connections, its migrations. */
export class ContextDatabase {
  readonly context: string;
  /** TypeORM's view, for reads. */
  readonly dataSource: DataSource;
  /** Connections of the messaging engine, so that a flood of commands cannot starve it. */
  readonly enginePool: pg.Pool;
  /** Stores the events of this context; the messaging library sets it. */
  outbox: OutboxWriter | undefined;
  readonly prepared = new PreparedStatements();
  /** For what is sent at once and waits for nobody. */
  readonly shared: SharedConnections;
  private orders = 0;
  private readonly users: (() => Promise<void>)[] = [];
  private closing: Promise<void> | undefined;

  constructor(private readonly options: ContextDatabaseOptions) {
    this.context = options.context;
    const poolSize = options.poolSize ?? 10;
    this.shared = new SharedConnections(this, poolSize);
    this.dataSource = new DataSource({
      type: 'postgres',
      url: options.url,
      schema: options.context,
      applicationName: `nestbox ${options.context}`,
      entities: [...(options.entities ?? [])],
      migrations: [...(options.migrations ?? [])],
      migrationsTableName: 'migrations',
      poolSize,
      connectTimeoutMS: CONNECT_TIMEOUT,
      poolErrorHandler: (error: Error) => this.warn(`A database connection of "${this.context}" was lost: ${error.message}`),
      extra: { ...KEEP_ALIVE, ...(options.answerTimeoutMs && { query_timeout: options.answerTimeoutMs }), pipeline: this.pipelines, onConnect: surviveItsEnd },
      entitySkipConstructor: true,
      installExtensions: false,
      logging: false,
    });
    this.enginePool = new pg.Pool({
      connectionString: options.url,
      application_name: `nestbox ${options.context} engine`,
      max: options.enginePoolSize ?? 4,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      ...KEEP_ALIVE,
      query_timeout: Math.min(ENGINE_ANSWER_TIMEOUT, options.answerTimeoutMs ?? ENGINE_ANSWER_TIMEOUT),
      pipeline: this.pipelines,
      onConnect: surviveItsEnd,
    } as pg.PoolConfig);
    this.enginePool.on('error', (error) => this.warn(`A database connection of the engine of "${this.context}" was lost: ${error.message}`));
  }

  get schema(): string {
    return this.context;
  }

  /** Whether a unit of work is stored in one round trip, or statement by statement. */
  get pipelines(): boolean {
    return this.options.pipeline ?? true;
  }

  get url(): string {
    return this.options.url;
  }

  /**
   * The rows of a `select` that was compiled once: in the transaction of the open query or unit of work if one has begun, else
   * on any connection, under a name.
   */
  rows(statement: Statement): Promise<Row[]> {
    const { text, values } = statement;
    if (ReadScope.begun(this) ?? UnitOfWork.of(this, 'A statement')?.begun) return this.manager.query(text, values as unknown[]);
    return this.rowsByName(statement);
  }

  /** TypeORM's manager for reads: on the transaction of the open unit of work or query, if there is one. */
  get manager(): EntityManager {
    return ReadScope.manager(this) ?? UnitOfWork.of(this, 'The entity manager')?.manager ?? this.dataSource.manager;
  }

  /**
   * A query of the rows that the current tenant has, under an alias, where `manager` would read. Conditions can only
   * narrow it: no `where` makes rows of others visible.
   * @throws UsageError when rows of this entity belong to no tenant
   */
  select<E extends ObjectLiteral>(schema: EntitySchema<E>, alias: string): SelectQueryBuilder<E> {
    return selectTenantRows(this.manager, schema, alias);
  }

  /**
   * Opens the connections.
   * @throws what pg says when the database cannot be reached; UsageError when its transactions are not as the library expects
   */
  async open(): Promise<void> {
    await this.dataSource.initialize();
    const isolation = await this.inspect();
    if (isolation === 'read committed') return;
    // Rows are locked, and versions checked, where it matters; a stricter level would only make bystanders fail.
    throw new UsageError(
      `The database of "${this.context}" makes every transaction "${isolation}" by default; commands and the messaging engine would fail each other for nothing.`,
      "alter database … set default_transaction_isolation = 'read committed', or the same for the role.",
    );
  }

  /** Returns the isolation of transactions that do not ask for one. */
  private async inspect(): Promise<string> {
    const client = await this.connect();
    try {
      await this.prepared.inspect(client);
      const { rows } = await client.query<{ isolation: string }>("select current_setting('default_transaction_isolation') isolation");
      return rows[0]!.isolation;
    } finally {
      client.release();
    }
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
      throw this.explained(error);
    }
  }

  /** A connection of no pool, for statements that may take any time; whoever asks for it ends it. */
  async connectAlone(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url, application_name: `nestbox ${this.context}`, connectionTimeoutMillis: CONNECT_TIMEOUT, ...KEEP_ALIVE });
    surviveItsEnd(client);
    await client.connect();
    return client;
  }

  /** One statement on any connection, outside of transactions. @throws DatabaseUnavailable */
  query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult<R>> {
    return this.explaining(this.shared.runAlone((client) => client.query<R>(text, values as unknown[])));
  }

  private async rowsByName(statement: Statement): Promise<Row[]> {
    const read = () => this.explaining(this.shared.run((client) => readRows(client, this.prepared.named(statement))));
    try {
      return await read();
    } catch (error) {
      // A migration has changed the type of a column: plans that return it cannot be used any more.
      if (sqlState(error) !== '0A000') throw error;
      this.prepared.rename(statement.text);
      return read();
    }
  }

  private explaining<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw this.explained(error);
    });
  }

  /**
   * Begins a transaction for work that needs its connection before its commit. BEGIN is constant and waited for: were it
   * sent blindly and failed, the statements behind it would each commit on their own.
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

  /** The error that a caller should see: DatabaseUnavailable when the database is the reason, else the same. */
  explained(error: unknown): unknown {
    return isUnavailable(error) && !(error instanceof DatabaseUnavailable) ? new DatabaseUnavailable(this.context, { cause: error }) : error;
  }

  /** Runs `work`, a query, in a transaction that can only read. @throws DeadlineExceeded when `signal` aborts first */
  read<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return ReadScope.run(this, work, signal);
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
