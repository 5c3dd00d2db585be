import type { Logger } from '@nestjs/common';
import type { ContextDatabase } from '@nestbox/persistence';
import { PARTITION_SIZE, PARTITIONS_AHEAD } from './messaging-tables.js';

/**
 * Keeps empty partitions of `outbox` and `log` ahead of the newest row. A new one is built apart and attached, which
 * does not make writers wait; an open transaction that is in the way only delays it to the next turn.
 */
export async function ensurePartitions(db: ContextDatabase, logger: Logger): Promise<void> {
  for (const [table, column] of [['outbox', 'position'], ['log', 'n']] as const) {
    try {
      await ensureAhead(db, table, column);
    } catch (error) {
      logger.warn(`A partition of ${db.schema}.${table} could not be added yet, trying again later: ${(error as Error).message}`);
    }
  }
}

async function ensureAhead(db: ContextDatabase, table: string, column: string): Promise<void> {
  const parent = `"${db.schema}".${table}`;
  const { rows } = await db.enginePool.query(
    `select coalesce((select max(${column}) from ${parent}), 0) newest,
       (select max(substring(c.relname from '_p([0-9]+)$')::int) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass) last`,
    [parent],
  );
  const wanted = Math.floor(Number(rows[0].newest) / PARTITION_SIZE) + PARTITIONS_AHEAD;
  for (let index = Number(rows[0].last) + 1; index <= wanted; index++) {
    const name = `"${db.schema}".${table}_p${index}`;
    const [from, to] = [index * PARTITION_SIZE, (index + 1) * PARTITION_SIZE];
    await db.enginePool.query(`create table if not exists ${name} (like ${parent} including defaults including constraints,
      constraint bounds check (${column} >= ${from} and ${column} < ${to}))`);
    await db.enginePool.query(`begin; set local lock_timeout = '100ms'; alter table ${parent} attach partition ${name} for values from (${from}) to (${to}); commit`);
  }
}
