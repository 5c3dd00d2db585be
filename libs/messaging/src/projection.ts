import type { ContextDatabase } from '@nestbox/persistence';
import type { ProjectionDefinition } from './context-module.js';
import { takeLanes } from './operations/move-reader.js';

export interface RebuildOptions {
  /** Forget events of the projection that wait for a person. Without it such a projection is not rebuilt. */
  readonly discardTrouble?: boolean;
}

/**
 * Empties a projection and sets its reader back to the first event, in one transaction; whoever runs the reader
 * notices by its fence, takes the lanes anew and handles everything again. Safe while events keep coming.
 * @returns how many lanes start again
 * @throws DomainError `operations.dead-events` while events of the projection are dead, unless `discardTrouble` is set
 */
export function rebuildProjection(db: ContextDatabase, projection: ProjectionDefinition, options: RebuildOptions = {}): Promise<number> {
  const empty = projection.tables.map((table) => ({ text: `delete from "${db.schema}"."${table}"`, values: [] }));
  return takeLanes(db, { ...options, reader: `${db.context}.${projection.name}`, to: 0, direction: 'back' }, empty);
}
