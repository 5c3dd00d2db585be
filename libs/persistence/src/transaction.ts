import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { type Statement, pipeline } from './statement.js';

/** Marks a transaction that the server rolled back although COMMIT itself was answered without an error. */
export class TransactionRolledBack extends Error {
  constructor() {
    super('The server answered COMMIT with ROLLBACK: an earlier statement of the transaction had failed.');
    this.name = new.target.name;
  }
}

/** An open database transaction on one connection. */
export class Transaction {
  private queryRunner: QueryRunner | undefined;
  private finished = false;

  constructor(readonly client: PoolClient, private readonly dataSource: DataSource) {}

  /** TypeORM's manager on this transaction's connection, for reads. */
  get manager(): EntityManager {
    this.queryRunner ??= adoptClient(this.dataSource, this.client);
    return this.queryRunner.manager;
  }

  /**
   * Sends the last statements and COMMIT in one round trip. Success means that every statement succeeded *and* the
   * server answered COMMIT: after an error COMMIT resolves too, with the tag ROLLBACK.
   */
  async commit(statements: readonly Statement[]): Promise<void> {
    const results = await pipeline(this.client, [...statements, { text: 'commit', values: [] }]);
    if (results.at(-1)!.command !== 'COMMIT') throw new TransactionRolledBack();
    this.finish();
  }

  async rollback(): Promise<void> {
    if (this.finished) return;
    try {
      await this.client.query('rollback');
      this.finish();
    } catch (error) {
      this.finish(error as Error);
    }
  }

  /** Gives the connection back; with an error, the connection is thrown away. */
  finish(error?: Error): void {
    if (this.finished) return;
    this.finished = true;
    this.client.release(error);
  }
}

/** A TypeORM query runner on a connection that somebody else owns; it must not be released. */
export function adoptClient(dataSource: DataSource, client: PoolClient): QueryRunner {
  const runner = dataSource.createQueryRunner();
  // PostgresQueryRunner.connect() answers with this connection when there is one.
  (runner as unknown as { databaseConnection: PoolClient }).databaseConnection = client;
  return runner;
}
