import type { DynamicModule } from '@nestjs/common';
import { DevIssuerModule, PagesModule, parseRouteAliases, type ProblemCatalogue, ProblemsModule, RouteAliasesModule } from '@nestbox/http';
import { HealthModule, LoggingModule, MetricsModule } from '@nestbox/ops';
import { MessagingModule, type ServiceTopology } from '@nestbox/messaging';
import { databaseUrlSetting, PersistenceModule } from '@nestbox/persistence';
import { AdminModule } from '../admin/admin.module.js';
import { controllers } from '../api/controllers.js';
import { contexts } from '../contexts.js';
import { DeprecationMetrics } from './deprecation-metrics.js';
import { HealthProbes } from './health-probes.js';
import { MessagingMetrics } from './messaging-metrics.js';
import { allPermissions, type Identification } from './identity.js';
import type { ApplicationSettings } from './settings.js';
import { keyFor } from './shared-secret.js';

class ApplicationModule {}

/** What one service of the topology consists of. */
export function applicationModule(settings: ApplicationSettings, topology: ServiceTopology, catalogue: ProblemCatalogue, { devIssuer }: Partial<Identification>): DynamicModule {
  const { admin, databases, http: server, logging, messaging } = settings;
  const http = topology.entrypoints.includes('http');
  const urls = databases as Readonly<Record<string, unknown>>;
  return {
    module: ApplicationModule,
    imports: [
      LoggingModule.forRoot({ service: topology.service, level: logging.LOG_LEVEL }),
      HealthModule,
      MetricsModule,
      ProblemsModule.forRoot(catalogue),
      PersistenceModule.forRoot({
        urlOf: (context) => (urls[databaseUrlSetting(context)] as string | undefined) ?? databases.DATABASE_URL,
        poolSize: databases.DATABASE_POOL_SIZE,
        enginePoolSize: databases.DATABASE_ENGINE_POOL_SIZE,
        answerTimeoutMs: databases.DATABASE_ANSWER_TIMEOUT_MS,
        pipeline: databases.DATABASE_PIPELINE,
        migrate: databases.MIGRATE_ON_START,
      }),
      MessagingModule.forRoot({ topology, settings: messaging, contexts: Object.keys(contexts) }),
      ...topology.contexts.map((name) => contexts[name as keyof typeof contexts]),
      ...(http ? [PagesModule.forRoot({ key: keyFor('cursors', messaging.SERVICE_KEY) })] : []),
      ...(http ? [RouteAliasesModule.forRoot(parseRouteAliases(server.ROUTE_ALIASES ?? ''))] : []),
      ...(devIssuer ? [DevIssuerModule.forRoot(devIssuer, allPermissions())] : []),
      ...(http && admin.ADMIN_TOKEN !== undefined ? [AdminModule.forRoot()] : []),
    ],
    controllers: http ? controllers : [],
    providers: [HealthProbes, MessagingMetrics, DeprecationMetrics],
  };
}
