import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

export interface OpenApiOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
}

/** The OpenAPI document of the application's controllers. */
export function openApiDocument(app: INestApplication, { title, description, version }: OpenApiOptions): OpenAPIObject {
  return SwaggerModule.createDocument(app, new DocumentBuilder().setTitle(title).setDescription(description).setVersion(version).build());
}

/** Serves Swagger UI at `/docs` and the document at `/docs-json`, everything from this process. */
export function serveOpenApi(app: INestApplication, options: OpenApiOptions): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, options), { jsonDocumentUrl: 'docs-json', customSiteTitle: options.title });
}
