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
      description: 'Connections per context for commands and queries, opened when they are needed.',
    },
    DATABASE_ENGINE_POOL_SIZE: {
      type: 'integer',
      min: 1,
      max: 1000,
      default: 4,
      description: 'Connections per context for the messaging engine, opened when they are needed. A process takes up to (DATABASE_POOL_SIZE + DATABASE_ENGINE_POOL_SIZE + 2 for numbering events) × its contexts, and one per database for its leases.',
    },
    DATABASE_ANSWER_TIMEOUT_MS: {
      type: 'integer',
      min: 1_000,
      max: 86_400_000,
      default: 30_000,
      description: 'A connection on which a statement of a command or query goes unanswered for this long counts as broken, and the statement as failed. The messaging engine waits for 10 s at most, migrations for ever.',
    },
    DATABASE_PIPELINE: {
      type: 'boolean',
      default: true,
      description: 'Send the statements of a transaction ahead of the answers to those before, a whole command in one round trip. Off: one by one, for what stands between here and Postgres and cannot bear that.',
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
