import type { Ask } from '@nestbox/messaging';
import { DomainError } from '@nestbox/kernel';
import { cliErrors } from './cli.errors.js';
import { definitions } from './databases.js';
import { plural, print } from './output.js';
import { withOperator } from './with-operator.js';

/** How often to look whether the readers have caught up, in ms. */
const LOOK_EVERY = 100;

export interface RebuildCommand {
  readonly discardTrouble: boolean;
  /** How long to wait for the running services to catch up, in seconds; 0 does not wait. */
  readonly wait: number;
}

/** `projection rebuild <name>`: empties a projection, lets the running services fill it again, and waits for them. */
export async function rebuild(name: string, { discardTrouble, wait }: RebuildCommand): Promise<void> {
  const { context } = find(name);
  await withOperator(async ({ operator, ask }) => {
    const reader = `${context}.${name}`;
    const targets = await positions(ask, context, reader);
    const lanes = await operator.rebuild(name, { discardTrouble });
    process.stdout.write(`Projection "${name}": emptied, ${plural(lanes, 'lane')} start again at the first event.\n`);
    if (wait > 0) await waitFor(() => positions(ask, context, reader), targets, wait);
  }, 'if used');
}

/** `projection list` */
export function list({ json }: { json: boolean }): void {
  print(json, all(), (projections) => projections.map(({ name, context, tables }) => `${name}\tcontext ${context}, tables ${tables.join(', ')}`).join('\n'));
}

function all(): { name: string; context: string; tables: readonly string[] }[] {
  return definitions().flatMap((context) => (context.projections ?? []).map(({ name, tables }) => ({ name, context: context.name, tables })));
}

function find(name: string): { context: string } {
  const found = all().find((projection) => projection.name === name);
  if (found) return found;
  throw new DomainError(cliErrors.noSuchProjection, `There is no projection "${name}". There are: ${all().map((projection) => projection.name).join(', ')}.`);
}

/** `<source>/<lane>` → position */
async function positions(ask: Ask, context: string, reader: string): Promise<Map<string, number>> {
  const readers = await ask(context, 'list-readers', undefined);
  return new Map(readers.filter((found) => found.reader === reader).flatMap(({ source, lanes }) => lanes.map(({ lane, n }) => [`${source}/${lane}`, n])));
}

/** Waits until every lane is where it stood before the rebuild. */
async function waitFor(now: () => Promise<Map<string, number>>, targets: ReadonlyMap<string, number>, seconds: number): Promise<void> {
  const patience = performance.now() + seconds * 1000;
  for (;;) {
    const reached = await now();
    const behind = [...targets].filter(([lane, n]) => (reached.get(lane) ?? 0) < n);
    if (behind.length === 0) {
      process.stdout.write('Every event that had been in it is in it again.\n');
      return;
    }
    if (performance.now() > patience) {
      throw new DomainError(cliErrors.notCaughtUp, `After ${seconds} s ${plural(behind.length, 'lane')} have not caught up. Is a service that runs the projection up? It goes on by itself; --wait gives it more time.`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
