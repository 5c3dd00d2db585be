import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { httpAdapter, openApiDocument, type OpenApiOptions, type ProblemCatalogue } from '@nestbox/http';
import { loadTopology } from '@nestbox/messaging';
import { ADMIN_SCHEME } from '../admin/operations.decorators.js';
import { BEARER_SCHEME } from '../api/sends.js';
import { contexts } from '../contexts.js';
import { applicationModule } from './application.module.js';
import { httpOptions } from './http.settings.js';
import { applicationProblems, generalProblems } from './problems.js';
import { type ApplicationSettings, readApplicationSettings } from './settings.js';

/** What the operations are grouped by, in the order in which somebody tries them. */
const TAGS = {
  products: 'What is sold, and how much of it is in the warehouse.',
  customers: 'What customers may owe, and what they do.',
  orders: 'Who orders what, and what becomes of it.',
  reports: 'What was sold.',
};

/** What the API document says beside the operations. */
export function apiOptions({ admin, http, identity }: Pick<ApplicationSettings, 'admin' | 'http' | 'identity'>, catalogue: ProblemCatalogue): OpenApiOptions {
  const operated = admin.ADMIN_TOKEN !== undefined;
  return {
    title: 'Nestbox',
    description: 'Orders, stock, payment and sales of Northwind Traders, a wholesaler. In this page every example can be executed, from top to bottom; the id of the example order stands for the order that was placed last.',
    version: '1',
    contact: { name: 'The maintainers of Nestbox' },
    license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    tags: { ...(identity.DEV_ISSUER && { development: 'Tokens for whoever asks, as long as this is not production.' }), ...TAGS, ...(operated && { operations: 'Events that are stuck, readers and streams: for whoever operates the system.' }) },
    catalogue,
    problems: generalProblems,
    rateLimited: http.RATE_LIMIT_PER_MINUTE > 0,
    bearers: [
      { name: BEARER_SCHEME, description: `A token of ${identity.DEV_ISSUER ? 'this service itself, from `POST /dev/token`' : 'the issuer that the service believes'}.` },
      ...(operated ? [{ name: ADMIN_SCHEME, description: 'The ADMIN_TOKEN that the service was started with, or a token with the permission `operations`.' }] : []),
    ],
  };
}

/** The document of the whole API, that of `/admin` too, by the classes alone: nothing of the application is created, and nothing connected. */
export async function apiDocument(): Promise<OpenAPIObject> {
  const settings = await readApplicationSettings({ DATABASE_URL: 'postgres://localhost/none', ADMIN_TOKEN: 'none-that-anybody-has' });
  const catalogue = applicationProblems();
  const topology = loadTopology(settings.messaging.TOPOLOGY_FILE, Object.keys(contexts), settings.messaging.SERVICE);
  const module = applicationModule(settings, topology, catalogue, {});
  const app = await NestFactory.create<NestFastifyApplication>(module, httpAdapter(httpOptions(settings.http)), { preview: true, logger: false, abortOnError: false });
  return openApiDocument(app, apiOptions(settings, catalogue));
}
