import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { documentProblems, type GeneralProblems } from './api-problems.js';
import { documentDeprecations } from './deprecation.js';
import { httpProblems } from './http-problems.js';
import { checkAnswers } from './openapi/answer-check.js';
import { serializeAnswers } from './openapi/answers.js';
import { documentExamples } from './openapi/examples.js';
import { documentHeaders } from './openapi/headers.js';
import { closeRequests, modernise } from './openapi/json-schema.js';
import { tryOut } from './openapi/try-out.js';
import { type ProblemCatalogue, problemCatalogue } from './problem-catalogue.js';
import { Problem } from './problem.schema.js';
import { documentVersions } from './versions.js';

export interface OpenApiOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** Who answers questions about the API. */
  readonly contact?: { readonly name: string; readonly url?: string; readonly email?: string };
  readonly license?: { readonly name: string; readonly url?: string };
  /** What the operations are grouped by, in the order in which they are shown, and a sentence for each. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Security schemes with a bearer token: their names, to which operations refer, and what the token is. */
  readonly bearers?: readonly { readonly name: string; readonly description: string }[];
  /** What the operations may answer instead; default: the problems of HTTP alone. */
  readonly catalogue?: ProblemCatalogue;
  /** Problems that operations have in common, beside those of HTTP. */
  readonly problems?: GeneralProblems;
  /** Whether the server counts requests, as with `rateLimit` of its adapter. Default: no. */
  readonly rateLimited?: boolean;
  /** Paths that are no part of the API, with those below. Default: health and metrics, which machines of the platform ask. */
  readonly leaveOut?: readonly string[];
}

/** How documented operations answer. */
export interface AnswerOptions {
  /** Whether every answer is held against the document, and one that differs is a 500. Costs time: for development and tests. Default: no. */
  readonly checkAnswers?: boolean;
}

const LEFT_OUT = ['/health', '/metrics'];

/**
 * The OpenAPI 3.1 document of the application's controllers.
 * @throws UsageError when it names a problem that is not in the catalogue
 */
export function openApiDocument(app: INestApplication, options: OpenApiOptions): OpenAPIObject {
  const { catalogue = problemCatalogue(), problems = {}, rateLimited = false, leaveOut = LEFT_OUT } = options;
  const document = SwaggerModule.createDocument(app, frameOf(options), { extraModels: [Problem] });
  for (const path of Object.keys(document.paths)) if (leaveOut.some((left) => path === left || path.startsWith(`${left}/`))) delete document.paths[path];
  documentProblems(document, catalogue, { ...problems, always: [...(rateLimited ? [httpProblems.rateLimited] : []), ...(problems.always ?? [])] });
  documentDeprecations(document);
  documentVersions(document);
  documentHeaders(document, { rateLimited });
  modernise(document);
  closeRequests(document);
  documentExamples(document);
  return document;
}

/**
 * Serves Swagger UI at `/docs` and the document at `/docs-json`, everything from this process, and has the operations answer by the
 * schemas of the document. To be called before the application initialises its routes.
 */
export function serveOpenApi(app: NestFastifyApplication, options: OpenApiOptions & AnswerOptions): void {
  const document = openApiDocument(app, options);
  const fastify = app.getHttpAdapter().getInstance();
  serializeAnswers(fastify, document);
  if (options.checkAnswers) checkAnswers(fastify, document);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'docs-json', customSiteTitle: options.title, swaggerOptions: tryOut });
}

/** The document without its operations. */
function frameOf({ title, description, version, contact, license, tags = {}, bearers = [] }: OpenApiOptions): Omit<OpenAPIObject, 'paths'> {
  const builder = new DocumentBuilder().setOpenAPIVersion('3.1.0').setTitle(title).setDescription(description).setVersion(version).addServer('/', 'Where the document comes from.');
  for (const [name, sentence] of Object.entries(tags)) builder.addTag(name, sentence);
  for (const { name, description: what } of bearers) builder.addBearerAuth({ type: 'http', scheme: 'bearer', description: what }, name);
  const frame = builder.build();
  return { ...frame, info: { ...frame.info, ...(contact && { contact }), ...(license && { license }) } };
}
