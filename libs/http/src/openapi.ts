import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { documentProblems, type GeneralProblems } from './api-problems.js';
import { documentDeprecations } from './deprecation.js';
import { type ProblemCatalogue, problemCatalogue } from './problem-catalogue.js';
import { Problem } from './problem.schema.js';
import { documentRequestHeaders } from './request-headers.js';
import { documentVersions } from './versions.js';

export interface OpenApiOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** Security schemes with a bearer token: their names, to which operations refer, and what the token is. */
  readonly bearers?: readonly { readonly name: string; readonly description: string }[];
  /** What the operations may answer instead; default: the problems of HTTP alone. */
  readonly catalogue?: ProblemCatalogue;
  /** Problems that operations have in common, beside those of HTTP. */
  readonly problems?: GeneralProblems;
}

/** The OpenAPI document of the application's controllers. @throws UsageError when it names a problem that is not in the catalogue */
export function openApiDocument(app: INestApplication, { title, description, version, bearers = [], catalogue = problemCatalogue(), problems }: OpenApiOptions): OpenAPIObject {
  const builder = new DocumentBuilder().setTitle(title).setDescription(description).setVersion(version);
  for (const { name, description: what } of bearers) builder.addBearerAuth({ type: 'http', scheme: 'bearer', description: what }, name);
  const document = SwaggerModule.createDocument(app, builder.build(), { extraModels: [Problem] });
  documentProblems(document, catalogue, problems);
  documentDeprecations(document);
  documentVersions(document);
  documentRequestHeaders(document);
  return document;
}

/**
 * Serves Swagger UI at `/docs` and the document at `/docs-json`, everything from this process.
 * @param devTokens whether the page gets itself a token of the {@link DevIssuerModule} when its reader has not given one
 */
export function serveOpenApi(app: INestApplication, { devTokens = false, ...options }: OpenApiOptions & { readonly devTokens?: boolean }): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, options), { jsonDocumentUrl: 'docs-json', customSiteTitle: options.title, ...(devTokens && { swaggerOptions: { requestInterceptor: sendDevToken } }) });
}

interface PageRequest {
  readonly headers: Record<string, string>;
}

/** Runs in the page: its text goes there, so it may use nothing from here. */
async function sendDevToken(request: PageRequest): Promise<PageRequest> {
  if (request.headers['Authorization']) return request;
  const answer = await fetch('/dev/token', { method: 'POST', headers: { accept: 'text/plain' } });
  request.headers['Authorization'] = `Bearer ${await answer.text()}`;
  return request;
}
