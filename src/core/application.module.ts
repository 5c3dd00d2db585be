import type { DynamicModule } from '@nestjs/common';
import { HealthModule, LoggingModule } from '@nestbox/ops';
import { MessagingModule, type ServiceTopology } from '@nestbox/messaging';
import { databaseUrlSetting, PersistenceModule } from '@nestbox/persistence';
import { controllers } from '../api/controllers.js';
import { contexts } from '../contexts.js';
import { HealthProbes } from './health-probes.js';
import type { ApplicationSettings } from './settings.js';

class ApplicationModule {}

/** What one service of the topology consists of. */
export function applicationModule(settings: ApplicationSettings, topology: ServiceTopology): DynamicModule {
  const { databases, logging, messaging } = settings;
  const urls = databases as Readonly<Record<string, unknown>>;
  return {
    module: ApplicationModule,
    imports: [
      LoggingModule.forRoot({ service: topology.service, level: logging.LOG_LEVEL }),
      HealthModule,
      PersistenceModule.forRoot({
        urlOf: (context) => (urls[databaseUrlSetting(context)] as string | undefined) ?? databases.DATABASE_URL,
        poolSize: databases.DATABASE_POOL_SIZE,
        migrate: databases.MIGRATE_ON_START,
      }),
      MessagingModule.forRoot({ topology, settings: messaging }),
      ...topology.contexts.map((name) => contexts[name as keyof typeof contexts]),
    ],
    controllers: topology.entrypoints.includes('http') ? controllers : [],
    providers: [HealthProbes],
  };
}
