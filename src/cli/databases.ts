import { type ContextDefinition, contextDefinitionOf, messagingTables } from '@nestbox/messaging';
import { ContextDatabase, databaseUrlSetting } from '@nestbox/persistence';
import { UsageError } from '@nestbox/kernel';
import { contexts } from '../contexts.js';
import { readApplicationSettings } from '../core/settings.js';

/** A context as the command line works on it: its definition and its open database, without the running engine. */
export interface OpenContext {
  readonly definition: ContextDefinition;
  readonly db: ContextDatabase;
}

/** The definitions of all contexts of the application. */
export function definitions(): ContextDefinition[] {
  return Object.values(contexts).map((module) => contextDefinitionOf(module)!);
}

/** Opens the databases of some contexts, runs `work`, and closes them again. */
export async function withContexts<T>(wanted: readonly ContextDefinition[], work: (contexts: readonly OpenContext[]) => Promise<T>): Promise<T> {
  const opened: OpenContext[] = [];
  try {
    for (const definition of wanted) opened.push(await openContext(definition));
    return await work(opened);
  } finally {
    for (const { db } of opened) await db.close();
  }
}

/** Opens the database of a context. @throws UsageError when no setting names one, or what the database says */
export async function openContext(definition: ContextDefinition): Promise<OpenContext> {
  const { databases } = await readApplicationSettings(process.env);
  const { name, entities = [], migrations = [] } = definition;
  const url = (databases as Readonly<Record<string, unknown>>)[databaseUrlSetting(name)] as string | undefined ?? databases.DATABASE_URL;
  if (!url) throw new UsageError(`The context "${name}" has no database.`, `set DATABASE_URL or ${databaseUrlSetting(name)}.`);
  const db = new ContextDatabase({ context: name, url, entities, migrations: [messagingTables(name), ...migrations], poolSize: 2, enginePoolSize: 2, pipeline: databases.DATABASE_PIPELINE });
  try {
    await db.open();
    return { definition, db };
  } catch (error) {
    await db.close();
    throw error;
  }
}
