import type { Client } from 'pg';
import { MigrationExecutor } from 'typeorm';
import type { ContextDatabase } from './context-database.js';
import { adoptClient } from './transaction.js';

/** Key of the advisory lock that lets one instance migrate at a time ("nestbox" in letters of a phone). */
const MIGRATION_LOCK = 63_782_69;

/**
 * What every database needs once, whatever contexts live in it: the assertion that makes a pipelined write fail when
 * it hits another number of rows than expected.
 */
const FOUNDATION = `
  create schema if not exists nb;
  create or replace function nb.expect(actual bigint, expected bigint, what text) returns void language plpgsql as $$
  begin
    if actual is distinct from expected then
      raise exception 'conflict: %', what using errcode = 'NB001';
    end if;
  end $$;`;

/** Runs the pending migrations of a context, one instance at a time. */
export function migrateContext(db: ContextDatabase): Promise<string[]> {
  return locked(db, async (client, executor) => {
    await client.query(FOUNDATION);
    await client.query(`create schema if not exists "${db.schema}"`);
    const done = await executor.executePendingMigrations();
    return done.map((migration) => migration.name);
  });
}

/** Undoes all migrations of a context, newest first. */
export function revertContext(db: ContextDatabase): Promise<string[]> {
  return locked(db, async (client, executor) => {
    const names: string[] = [];
    for (;;) {
      const { rows } = await client.query<{ name: string }>(`select name from "${db.schema}".migrations order by id desc limit 1`);
      if (!rows[0]) return names;
      names.push(rows[0].name);
      await executor.undoLastMigration();
    }
  });
}

/** Holds a transaction-level lock on a connection of its own, which also works through poolers. Neither it nor the work is hurried. */
async function locked<T>(db: ContextDatabase, work: (client: Client, executor: MigrationExecutor) => Promise<T>): Promise<T> {
  const holder = await db.connectAlone();
  try {
    await holder.query('begin');
    await holder.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    return await onItsOwn(db, work);
  } finally {
    await holder.end();
  }
}

async function onItsOwn<T>(db: ContextDatabase, work: (client: Client, executor: MigrationExecutor) => Promise<T>): Promise<T> {
  const client = await db.connectAlone();
  try {
    const executor = new MigrationExecutor(db.dataSource, adoptClient(db.dataSource, client));
    executor.transaction = 'each';
    return await work(client, executor);
  } finally {
    await client.end();
  }
}
