import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { httpAdapter, ProblemFilter, serveOpenApi, validationPipe } from '@nestbox/http';
import { loadTopology, type ServiceTopology } from '@nestbox/messaging';
import { Logger as PinoLogger } from 'nestjs-pino';
import { contexts } from '../contexts.js';
import { applicationModule } from './application.module.js';
import { type ApplicationSettings, readApplicationSettings, warnOfMisspelledSettings } from './settings.js';

/** A service, wired and migrated, not listening yet. */
export interface Application {
  readonly app: NestFastifyApplication;
  readonly settings: ApplicationSettings;
  readonly topology: ServiceTopology;
}

/**
 * Creates the service that `SERVICE` names.
 * @throws InvalidSettings, InvalidTopology, or what the database says
 */
export async function createApplication(env: NodeJS.ProcessEnv): Promise<Application> {
  const settings = readApplicationSettings(env);
  const { http, messaging } = settings;
  const topology = loadTopology(messaging.TOPOLOGY_FILE, Object.keys(contexts), messaging.SERVICE);
  const adapter = httpAdapter({ bodyLimitBytes: http.BODY_LIMIT_BYTES, timeoutMs: http.REQUEST_TIMEOUT_MS, tenantId: 'default' });
  const app = await NestFactory.create<NestFastifyApplication>(applicationModule(settings, topology), adapter, { bufferLogs: true, autoFlushLogs: false, abortOnError: false });
  // Up to here logs are kept back: when the creation fails, its error is thrown, and Nest's own lines about it are dropped.
  app.useLogger(app.get(PinoLogger));
  app.flushLogs();
  warnOfMisspelledSettings(env);
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(validationPipe());
  if (topology.entrypoints.includes('http')) {
    serveOpenApi(app, { title: 'Nestbox', description: 'Orders, stock, payment and sales of Northwind Traders, a wholesaler.', version: '1' });
  }
  return { app, settings, topology };
}
