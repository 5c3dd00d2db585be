import type { Logger } from '@nestjs/common';
import { type ContextDatabase, sqlState } from '@nestbox/persistence';
import { PARTITIONS_AHEAD } from './messaging-tables.js';

/** A part of `outbox` (by position) or of `log` (by number), empty or not. */
export interface Partition {
  readonly table: 'outbox' | 'log';
  readonly index: number;
  /** Quoted, with its schema. */
  readonly name: string;
  /** Rows from this position or number on, */
  readonly from: number;
  /** up to before this one. Both are 0 for a table that is not part of its parent. */
  readonly to: number;
  /** `made`: not part of the table yet. `leaving`: no query sees it any more, older ones may. `left`: ready to be dropped. */
  readonly state: 'made' | 'attached' | 'leaving' | 'left';
}

/** Nobody waits longer than this for a lock that DDL needs, and so nobody waits longer behind it. */
const LOCK_TIMEOUT = "set local lock_timeout = '100ms'";

/** How long to wait for transactions that have used a partition to end. They are many, short, and always there. */
const PATIENCE_MS = 500;

/** All partitions of a context, oldest first. */
export async function readPartitions(db: ContextDatabase): Promise<Partition[]> {
  const { rows } = await db.enginePool.query<{ table: Partition['table']; index: number; state: Partition['state'] | null; bounds: [string, string] | null }>(
    `select substring(c.relname from '^[a-z]+') as table, substring(c.relname from '[0-9]+$')::int as index,
       case when i.inhdetachpending then 'leaving' when i.inhrelid is not null then 'attached' end as state,
       regexp_match(pg_get_expr(c.relpartbound, c.oid), '\\((?:'')?(\\d+)(?:'')?\\) TO \\((?:'')?(\\d+)(?:'')?\\)') as bounds
     from pg_class c left join pg_inherits i on i.inhrelid = c.oid
     where c.relnamespace = $1::regnamespace and c.relkind = 'r' and c.relname ~ '^(outbox|log)_p[0-9]+$' order by 1, 2`,
    [`"${db.schema}"`],
  );
  const newest = (table: string) => Math.max(-1, ...rows.filter((row) => row.table === table && row.state).map((row) => row.index));
  return rows.map(({ table, index, state, bounds }) => ({
    table, index, name: `"${db.schema}".${table}_p${index}`, from: Number(bounds?.[0] ?? 0), to: Number(bounds?.[1] ?? 0),
    // A crash may leave a table on either side of its time in the parent.
    state: state ?? (index > newest(table) ? 'made' : 'left'),
  }));
}

/**
 * Keeps empty partitions of `outbox` and `log` ahead of the newest row, each as large as the one before it. A new one
 * is built apart and attached, which does not make writers wait; a lock in the way only delays it to the next turn.
 */
export async function ensurePartitions(db: ContextDatabase, logger: Logger, ahead = PARTITIONS_AHEAD): Promise<void> {
  try {
    const partitions = await readPartitions(db);
    const { rows } = await db.enginePool.query(
      `select coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'position')), 0) outbox, (select head from "${db.schema}".sequencer order by gen desc limit 1) log`,
      [`"${db.schema}".outbox`],
    );
    for (const table of ['outbox', 'log'] as const) {
      await ensureAhead(db, partitions.filter((partition) => partition.table === table && partition.state === 'attached'), Number(rows[0][table]), ahead);
    }
  } catch (error) {
    // 23505, 42P07, 42809: somebody else makes it at this moment.
    if (!['23505', '42P07', '42809'].includes(sqlState(error) ?? '')) logger.warn(`A partition for the events of "${db.context}" could not be added yet, trying again later: ${(error as Error).message}`);
  }
}

async function ensureAhead(db: ContextDatabase, attached: readonly Partition[], newest: number, wanted: number): Promise<void> {
  let last = attached.at(-1)!;
  let ahead = attached.filter(({ from }) => from > newest).length;
  while (ahead < wanted) {
    const size = last.to - last.from;
    // After a leap of the numbers, what lies in between needs no partition.
    const from = Math.max(last.to, Math.floor((newest + 1) / size) * size);
    const index = last.index + 1;
    const { table, state } = last;
    last = { table, state, index, name: `"${db.schema}".${table}_p${index}`, from, to: from + size };
    await attach(db, last);
    if (from > newest) ahead += 1;
  }
}

async function attach(db: ContextDatabase, { table, name, from, to }: Partition): Promise<void> {
  const parent = `"${db.schema}".${table}`;
  await db.enginePool.query(`create table if not exists ${name} (like ${parent} including defaults)`);
  await inTransaction(db, `alter table ${parent} attach partition ${name} for values from (${from}) to (${to})`);
}

/**
 * Takes an old partition out of its table and drops it. Neither makes writers wait: it leaves without a lock on the
 * table, and then nobody knows it any more. Every step can be the last of a process; the next turn goes on from there.
 * @returns false when a transaction that has used the table is in the way
 */
export async function dropPartition(db: ContextDatabase, { table, name, state }: Partition): Promise<boolean> {
  try {
    const how = { attached: 'concurrently', leaving: 'finalize' }[state as string];
    if (how) await impatiently(db, `alter table "${db.schema}".${table} detach partition ${name} ${how}`);
    await inTransaction(db, `drop table ${name}`);
    return true;
  } catch (error) {
    // 55P03: the lock was not to be had in time. 57014: nor the end of a transaction.
    if (['55P03', '57014'].includes(sqlState(error) ?? '')) return false;
    throw error;
  }
}

async function inTransaction(db: ContextDatabase, ddl: string): Promise<void> {
  const client = await db.enginePool.connect();
  try {
    await client.query(`begin; ${LOCK_TIMEOUT}; ${ddl}; commit`);
    client.release();
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
}

/**
 * Runs what may not be part of a transaction, and waits for transactions that have used the table. That holds up
 * nobody, but it has to end: a patience of the session would be somebody else's, behind a pooler, so it is cancelled.
 */
async function impatiently(db: ContextDatabase, ddl: string): Promise<void> {
  const cancel = () => db.enginePool.query("select pg_cancel_backend(pid) from pg_stat_activity where query = $1 and state = 'active' and datname = current_database()", [ddl]);
  const impatience = setTimeout(() => cancel().catch(() => undefined), PATIENCE_MS);
  try {
    await db.enginePool.query(ddl);
  } finally {
    clearTimeout(impatience);
  }
}
