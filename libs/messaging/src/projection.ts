import { UsageError } from '@nestbox/kernel';
import type { ContextDatabase } from '@nestbox/persistence';
import type { ProjectionDefinition } from './context-module.js';

/** A transaction that cannot take all lanes within this time gives up and changes nothing. */
const LANE_ATTEMPTS = 1_000;

export interface RebuildOptions {
  /** Forget events of the projection that wait for a person. Without it such a projection is not rebuilt. */
  readonly discardTrouble?: boolean;
}

/**
 * Empties a projection and sets its reader back to the first event, in one transaction; whoever runs the reader
 * notices by its fence, takes the lanes anew and handles everything again. Safe while events keep coming.
 * @returns how many lanes start again
 * @throws UsageError while events of the projection are dead, unless `discardTrouble` is set
 */
export async function rebuildProjection(db: ContextDatabase, projection: ProjectionDefinition, options: RebuildOptions = {}): Promise<number> {
  const reader = `${db.context}.${projection.name}`;
  const s = `"${db.schema}"`;
  const transaction = await db.begin();
  const { client } = transaction;
  try {
    const dead = await client.query(`select count(*)::int count from ${s}.trouble where reader = $1 and state = 'dead'`, [reader]);
    if (dead.rows[0].count > 0 && !options.discardTrouble) {
      throw new UsageError(
        `${dead.rows[0].count} events of the projection "${projection.name}" failed for good and wait for a decision.`,
        'replay or skip them first, or rebuild with --discard-trouble: they are handled again then like all others.',
      );
    }
    const lanes = await client.query(`select distinct source, lane from ${s}.cursor where reader = $1 order by source, lane`, [reader]);
    // Each lane taken here makes its owner wait; once all are taken, nobody writes the tables.
    for (const { source, lane } of lanes.rows) await takeLane(db, client, reader, source, lane);
    await client.query(`delete from ${s}.trouble where reader = $1`, [reader]);
    for (const table of projection.tables) await client.query(`delete from ${s}."${table}"`);
    await transaction.commit([]);
    return lanes.rows.length;
  } finally {
    await transaction.rollback();
  }
}

type Client = Awaited<ReturnType<ContextDatabase['begin']>>['client'];

async function takeLane(db: ContextDatabase, client: Client, reader: string, source: string, lane: number): Promise<void> {
  for (let attempt = 0; attempt < LANE_ATTEMPTS; attempt++) {
    // Waits for a transaction of the owner that is in progress; when it has moved the lane, tries the next generation.
    const { rowCount } = await client.query(
      `insert into "${db.schema}".cursor (reader, source, lane, gen, n, owner)
       select $1, $2, $3, max(gen) + 1, 0, null from "${db.schema}".cursor where reader = $1 and source = $2 and lane = $3
       on conflict do nothing`,
      [reader, source, lane],
    );
    if (rowCount === 1) return;
  }
  throw new Error(`Lane ${lane} of "${reader}" could not be taken: its owner was always faster. Nothing was changed; try again.`);
}
