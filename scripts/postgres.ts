import path from 'node:path';
import type { EmbeddedPostgres } from '../libs/persistence/src/embedded-postgres.ts';
import { projectRoot } from './project.ts';

/** Starts the embedded Postgres, at any free port if none is named; the code is that of the built library, so a build comes first. */
export async function startEmbeddedPostgres(dataDir: string, port?: number): Promise<EmbeddedPostgres> {
  const library: string = path.join(projectRoot, 'libs', 'persistence', 'dist', 'embedded-postgres.js');
  const { EmbeddedPostgres: Server } = (await import(library)) as { EmbeddedPostgres: typeof EmbeddedPostgres };
  return Server.start({ dataDir, ...(port !== undefined && { port }) });
}
