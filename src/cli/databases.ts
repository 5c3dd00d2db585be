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
  const { databases } = readApplicationSettings(process.env);
  const urls = databases as Readonly<Record<string, unknown>>;
  const opened: OpenContext[] = [];
  try {
    for (const definition of wanted) {
      const { name } = definition;
      const url = (urls[databaseUrlSetting(name)] as string | undefined) ?? databases.DATABASE_URL;
      if (!url) throw new UsageError(`The context "${name}" has no database.`, `set DATABASE_URL or ${databaseUrlSetting(name)}.`);
      const { entities = [], migrations = [] } = definition;
      const db = new ContextDatabase({ context: name, url, entities, migrations: [messagingTables(name), ...migrations], poolSize: 2, enginePoolSize: 2 });
      opened.push({ definition, db });
      await db.open();
    }
    return await work(opened);
  } finally {
    for (const { db } of opened) await db.close();
  }
}
