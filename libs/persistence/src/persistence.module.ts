import { type DynamicModule, Global, Inject, Logger, Module, type Provider } from '@nestjs/common';
import type { EntitySchema } from 'typeorm';
import { UsageError } from '@nestbox/kernel';
import { ContextDatabase, type MigrationClass } from './context-database.js';

export interface PersistenceOptions {
  /** Database URL of each context, or one for all. */
  readonly urlOf: (context: string) => string | undefined;
  /** Connections per context for commands and queries. */
  readonly poolSize?: number;
  /** Connections per context for the messaging engine. */
  readonly enginePoolSize?: number;
  /** How long a statement of a command or query may go unanswered, in ms. */
  readonly answerTimeoutMs?: number;
  /** Whether statements are sent ahead of the answers to those before. Default true. */
  readonly pipeline?: boolean;
  /** Run pending migrations when a context's database is opened. */
  readonly migrate: boolean;
}

const OPTIONS = Symbol('nestbox:persistence-options');

/** Injection token of a context's {@link ContextDatabase}. */
export function databaseToken(context: string): string {
  return `nestbox:database:${context}`;
}

/** Injects the {@link ContextDatabase} of a context. */
export function InjectDatabase(context: string): ParameterDecorator & PropertyDecorator {
  return Inject(databaseToken(context));
}

/** The databases of the contexts in this process. */
@Global()
@Module({})
export class PersistenceModule {
  static forRoot(options: PersistenceOptions): DynamicModule {
    return { module: PersistenceModule, providers: [{ provide: OPTIONS, useValue: options }], exports: [OPTIONS] };
  }

  /** The provider of one context's database, opened and migrated before anything that needs it is created. */
  static database(context: string, entities: readonly EntitySchema[], migrations: readonly MigrationClass[]): Provider {
    return {
      provide: databaseToken(context),
      inject: [OPTIONS],
      useFactory: (options: PersistenceOptions) => openDatabase(context, entities, migrations, options),
    };
  }
}

async function openDatabase(
  context: string,
  entities: readonly EntitySchema[],
  migrations: readonly MigrationClass[],
  options: PersistenceOptions,
): Promise<ContextDatabase> {
  const url = options.urlOf(context);
  if (!url) throw new UsageError(`The context "${context}" has no database.`, 'set DATABASE_URL, or the database URL of the context itself.');
  const logger = new Logger(`persistence ${context}`);
  const db = new ContextDatabase({
    context,
    url,
    entities,
    migrations,
    ...(options.poolSize !== undefined && { poolSize: options.poolSize }),
    ...(options.enginePoolSize !== undefined && { enginePoolSize: options.enginePoolSize }),
    ...(options.answerTimeoutMs !== undefined && { answerTimeoutMs: options.answerTimeoutMs }),
    ...(options.pipeline !== undefined && { pipeline: options.pipeline }),
    warn: (message) => logger.warn(message),
  });
  try {
    await db.open();
    if (options.migrate) {
      const names = await db.migrate();
      if (names.length > 0) logger.log(`ran ${names.length} migrations`);
    }
  } catch (error) {
    await db.close().catch(() => undefined);
    throw error;
  }
  return db;
}
