import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAbort, DeadlineExceeded } from '@nestbox/kernel';
import type { EntityManager } from 'typeorm';
import type { ContextDatabase } from './context-database.js';
import { adoptClient } from './transaction.js';
import { isConnectionError, sqlState } from './statement.js';

interface OpenRead {
  readonly db: ContextDatabase;
  readonly manager: EntityManager;
}

const reads = new AsyncLocalStorage<OpenRead>();

/**
 * The read-only transaction around a query. BEGIN and COMMIT travel with the query's own statements, so it costs no
 * round trip; a query that tries to write is refused by the database.
 */
export class ReadScope {
  /** The manager of the open read of this database, if there is one. */
  static manager(db: ContextDatabase): EntityManager | undefined {
    const open = reads.getStore();
    return open?.db === db ? open.manager : undefined;
  }

  /** @throws DeadlineExceeded when `signal` aborts first */
  static async run<T>(db: ContextDatabase, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const client = await db.connect();
    let broken: Error | undefined;
    const note = (error: Error) => {
      if (isConnectionError(error)) broken = error;
    };
    const begun = client.query('begin read only').catch(note);
    try {
      const reading = () => reads.run({ db, manager: adoptClient(db.dataSource, client).manager }, work);
      return await beforeAbort(reading, signal);
    } catch (error) {
      // The query may still use the connection: nobody else gets it.
      if (error instanceof DeadlineExceeded) broken = error;
      throw sqlState(error) ? db.explained(error) : error;
    } finally {
      const ended = client.query('commit').catch(note);
      // The answer does not wait for these; the connection does.
      void Promise.all([begun, ended]).then(() => client.release(broken));
    }
  }
}
