import type { ContextDatabase } from './context-database.js';

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
  return locked(db, async () => {
    await db.query(FOUNDATION);
    await db.query(`create schema if not exists "${db.schema}"`);
    const done = await db.dataSource.runMigrations({ transaction: 'each' });
    return done.map((migration) => migration.name);
  });
}

/** Undoes all migrations of a context, newest first. */
export function revertContext(db: ContextDatabase): Promise<string[]> {
  return locked(db, async () => {
    const names: string[] = [];
    for (;;) {
      const { rows } = await db.query<{ name: string }>(`select name from "${db.schema}".migrations order by id desc limit 1`);
      if (!rows[0]) return names;
      names.push(rows[0].name);
      await db.dataSource.undoLastMigration({ transaction: 'each' });
    }
  });
}

/** Holds a transaction-level lock on a connection of its own, which also works through poolers. */
async function locked<T>(db: ContextDatabase, work: () => Promise<T>): Promise<T> {
  const client = await db.enginePool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    return await work();
  } finally {
    await client.query('rollback').catch(() => undefined);
    client.release();
  }
}
