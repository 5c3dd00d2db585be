import { definitions, withContexts } from './databases.js';

/** `migrate up`: runs what is pending in every context. */
export async function up(): Promise<void> {
  await withContexts(definitions(), async (contexts) => {
    for (const { definition, db } of contexts) report(definition.name, 'ran', await db.migrate());
  });
}

/** `migrate down`: undoes everything in every context. All data is lost. */
export async function down(): Promise<void> {
  await withContexts(definitions(), async (contexts) => {
    for (const { definition, db } of contexts) report(definition.name, 'undid', await db.revert());
  });
}

function report(context: string, did: string, names: readonly string[]): void {
  process.stdout.write(`${context}: ${names.length === 0 ? 'nothing to do' : `${did} ${names.join(', ')}`}\n`);
}
