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
  /** Name of the security scheme that operations with a bearer token refer to, and what the token is. */
  readonly bearer?: { readonly name: string; readonly description: string };
  /** What the operations may answer instead; default: the problems of HTTP alone. */
  readonly catalogue?: ProblemCatalogue;
  /** Problems that operations have in common, beside those of HTTP. */
  readonly problems?: GeneralProblems;
}

/** The OpenAPI document of the application's controllers. @throws UsageError when it names a problem that is not in the catalogue */
export function openApiDocument(app: INestApplication, { title, description, version, bearer, catalogue = problemCatalogue(), problems }: OpenApiOptions): OpenAPIObject {
  const builder = new DocumentBuilder().setTitle(title).setDescription(description).setVersion(version);
  if (bearer) builder.addBearerAuth({ type: 'http', scheme: 'bearer', description: bearer.description }, bearer.name);
  const document = SwaggerModule.createDocument(app, builder.build(), { extraModels: [Problem] });
  documentProblems(document, catalogue, problems);
  documentDeprecations(document);
  documentVersions(document);
  documentRequestHeaders(document);
  return document;
}

/** Serves Swagger UI at `/docs` and the document at `/docs-json`, everything from this process. */
export function serveOpenApi(app: INestApplication, options: OpenApiOptions): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, options), { jsonDocumentUrl: 'docs-json', customSiteTitle: options.title });
}
