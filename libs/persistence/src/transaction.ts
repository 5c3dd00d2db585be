import type { ClientBase, PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Statement } from './statement.js';
import { writeBatch } from './write-batch.js';

/** Marks a transaction that the server rolled back although COMMIT itself was answered without an error. */
export class TransactionRolledBack extends Error {
  constructor() {
    super('The server answered COMMIT with ROLLBACK: an earlier statement of the transaction had failed.');
    this.name = new.target.name;
  }
}

const COMMIT: Statement = { text: 'commit', values: [] };

/** An open database transaction on one connection. */
export class Transaction {
  private queryRunner: QueryRunner | undefined;
  private finished = false;

  /** @param begun while BEGIN is on its way: resolves when the server has begun it. Statements that could write wait for it */
  constructor(readonly client: PoolClient, private readonly dataSource: DataSource, readonly begun?: Promise<void>) {}

  /** TypeORM's manager on this transaction's connection, for reads. */
  get manager(): EntityManager {
    this.queryRunner ??= adoptClient(this.dataSource, this.client, this.begun);
    return this.queryRunner.manager;
  }

  /** Whether no statement is on its way: whoever keeps the transaction open is busy with something else. */
  get idle(): boolean {
    // pg keeps them apart: the one that is being answered, those sent behind it, those not sent yet.
    const { _activeQuery: answered, _sentQueryQueue: sent, _queryQueue: unsent } = this.client as unknown as { _activeQuery: unknown; _sentQueryQueue: unknown[]; _queryQueue: unknown[] };
    return !answered && sent.length === 0 && unsent.length === 0;
  }

  /** Whether its connection still works, as far as this process has been told. */
  get connected(): boolean {
    const { _queryable: works } = this.client as unknown as { _queryable: boolean };
    return works;
  }

  /**
   * Sends the last statements and COMMIT in one round trip. Success means that every statement succeeded *and* the
   * server answered COMMIT: where an earlier one has failed COMMIT succeeds too, with the tag ROLLBACK.
   */
  async commit(statements: readonly Statement[]): Promise<void> {
    const tag = await writeBatch(this.client, [...statements, COMMIT]);
    if (tag !== 'COMMIT') throw new TransactionRolledBack();
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

/**
 * A TypeORM query runner on a connection that somebody else owns; it must not be released.
 * @param ready what its statements wait for
 */
export function adoptClient(dataSource: DataSource, client: ClientBase, ready?: Promise<void>): QueryRunner {
  const runner = dataSource.createQueryRunner();
  // PostgresQueryRunner.connect() answers with the connection when there is one, else with the promise of one.
  const slots = runner as unknown as { databaseConnection?: ClientBase; databaseConnectionPromise?: Promise<ClientBase> };
  if (ready) slots.databaseConnectionPromise = ready.then(() => client);
  else slots.databaseConnection = client;
  slots.databaseConnectionPromise?.catch(() => undefined);
  return runner;
}
