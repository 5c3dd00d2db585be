import type { SettingDefinition, SettingDefinitions } from '@nestbox/kernel';

const postgres = { type: 'url', protocols: ['postgres:', 'postgresql:'], secret: true } as const;

/** Settings of the databases, with one `<CONTEXT>_DATABASE_URL` per context. */
export function persistenceSettings(contexts: readonly string[]) {
  const own: Record<string, SettingDefinition & { readonly optional: true }> = {};
  for (const context of contexts) {
    own[databaseUrlSetting(context)] = {
      ...postgres,
      optional: true,
      description: `Database of the ${context} context alone; unset: DATABASE_URL.`,
    };
  }
  const shared = {
    DATABASE_URL: {
      ...postgres,
      optional: true,
      description: 'Postgres of every context without a database of its own. `npm start` fills it with the embedded Postgres when it is unset.',
    },
    DATABASE_POOL_SIZE: {
      type: 'integer',
      min: 1,
      max: 1000,
      default: 10,
      description: 'Connections per context for commands and queries. The messaging engine has a few more of its own.',
    },
    MIGRATE_ON_START: {
      type: 'boolean',
      default: true,
      description: 'Run the pending migrations of this service before it listens.',
    },
  } as const satisfies SettingDefinitions;
  return { ...shared, ...own };
}

/** The name of the setting that gives a context its own database: `ordering` → `ORDERING_DATABASE_URL`. */
export function databaseUrlSetting(context: string): string {
  return `${context.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`;
}
