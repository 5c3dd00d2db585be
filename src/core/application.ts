import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { httpAdapter, ProblemFilter, serveAsyncApi, serveOpenApi, validationPipe } from '@nestbox/http';
import { loadTopology, type ServiceTopology, Subjects } from '@nestbox/messaging';
import { Logger as PinoLogger } from 'nestjs-pino';
import { contexts } from '../contexts.js';
import { apiOptions } from './api-document.js';
import { applicationModule } from './application.module.js';
import { checksAnswers, httpOptions } from './http.settings.js';
import { type Identification, identification } from './identity.js';
import { messagesDocument } from './messages-document.js';
import { applicationProblems } from './problems.js';
import { type ApplicationSettings, readApplicationSettings, warnOfMisspelledSettings } from './settings.js';

/** A service, wired and migrated, not listening yet. */
export interface Application {
  readonly app: NestFastifyApplication;
  readonly settings: ApplicationSettings;
  readonly topology: ServiceTopology;
}

/**
 * Creates the service that `SERVICE` names.
 * @throws InvalidSettings, InvalidTopology, UsageError, or what the database says
 */
export async function createApplication(env: NodeJS.ProcessEnv): Promise<Application> {
  const settings = await readApplicationSettings(env);
  const { http, messaging } = settings;
  const topology = loadTopology(messaging.TOPOLOGY_FILE, Object.keys(contexts), messaging.SERVICE);
  const catalogue = applicationProblems();
  const identified: Partial<Identification> = topology.entrypoints.includes('http') ? await identification(settings, env) : {};
  const module = applicationModule(settings, topology, catalogue, identified);
  const app = await NestFactory.create<NestFastifyApplication>(module, httpAdapter({ ...httpOptions(http), tokenReaders: identified.tokenReaders ?? [] }), { bufferLogs: true, autoFlushLogs: false, abortOnError: false });
  // Up to here logs are kept back: when the creation fails, its error is thrown, and Nest's own lines about it are dropped.
  app.useLogger(app.get(PinoLogger));
  app.flushLogs();
  warnOfMisspelledSettings(env);
  app.useGlobalFilters(new ProblemFilter(catalogue));
  app.useGlobalPipes(validationPipe());
  if (topology.entrypoints.includes('http')) {
    serveOpenApi(app, { ...apiOptions(settings, catalogue), checkAnswers: checksAnswers(http, env) });
    serveAsyncApi(app, () => messagesDocument(new Subjects(messaging.NATS_NAMESPACE)));
  }
  return { app, settings, topology };
}
