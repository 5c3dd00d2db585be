import { type ContextDefinition, type ProjectionDefinition, rebuildProjection } from '@nestbox/messaging';
import { UsageError } from '@nestbox/kernel';
import type { ContextDatabase } from '@nestbox/persistence';
import { definitions, withContexts } from './databases.js';

/** How often to look whether the readers have caught up, in ms. */
const LOOK_EVERY = 100;

export interface RebuildCommand {
  readonly discardTrouble: boolean;
  /** How long to wait for the running services to catch up, in seconds; 0 does not wait. */
  readonly wait: number;
}

/** `projection rebuild <name>`: empties a projection, lets the running services fill it again, and waits for them. */
export async function rebuild(name: string, { discardTrouble, wait }: RebuildCommand): Promise<void> {
  const { context, projection } = find(name);
  await withContexts([context], async ([opened]) => {
    const { db } = opened!;
    const targets = await positions(db, `${context.name}.${projection.name}`);
    const lanes = await rebuildProjection(db, projection, { discardTrouble });
    process.stdout.write(`Projection "${name}": emptied, ${lanes} lanes start again at the first event.\n`);
    if (wait > 0) await waitFor(db, `${context.name}.${projection.name}`, targets, wait);
  });
}

/** `projection list` */
export function list(): void {
  for (const { name, projections = [] } of definitions()) {
    for (const projection of projections) process.stdout.write(`${projection.name}\tcontext ${name}, tables ${projection.tables.join(', ')}\n`);
  }
}

function find(name: string): { context: ContextDefinition; projection: ProjectionDefinition } {
  const all = definitions().flatMap((context) => (context.projections ?? []).map((projection) => ({ context, projection })));
  const found = all.find(({ projection }) => projection.name === name);
  if (found) return found;
  throw new UsageError(`There is no projection "${name}".`, `use one of: ${all.map(({ projection }) => projection.name).join(', ')}.`);
}

async function positions(db: ContextDatabase, reader: string): Promise<Map<string, number>> {
  const { rows } = await db.query<{ source: string; lane: number; n: string }>(
    `select distinct on (source, lane) source, lane, n from "${db.schema}".cursor where reader = $1 order by source, lane, gen desc`,
    [reader],
  );
  return new Map(rows.map((row) => [`${row.source}/${row.lane}`, Number(row.n)]));
}

/** Waits until every lane is where it stood before the rebuild. */
async function waitFor(db: ContextDatabase, reader: string, targets: ReadonlyMap<string, number>, seconds: number): Promise<void> {
  const patience = performance.now() + seconds * 1000;
  for (;;) {
    const now = await positions(db, reader);
    const behind = [...targets].filter(([lane, n]) => (now.get(lane) ?? 0) < n);
    if (behind.length === 0) {
      process.stdout.write('Every event that had been in it is in it again.\n');
      return;
    }
    if (performance.now() > patience) {
      throw new UsageError(`After ${seconds} s ${behind.length} lanes have not caught up.`, 'is a service that runs the projection up? It goes on by itself; --wait gives it more time.');
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
