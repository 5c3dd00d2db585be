import type { OpenAPIObject } from '@nestjs/swagger';
import { exampleOf, type JsonSchema } from '@nestbox/kernel';
import { type Content, operationsOf, schemasOf } from './operations.js';

/** Gives every body an example, out of those of its fields, unless it has one; examples of parameters get where Swagger UI looks for them. */
export function documentExamples(document: OpenAPIObject): void {
  const schemas = schemasOf(document) as Readonly<Record<string, JsonSchema>>;
  const complete = (content: Content = {}) => {
    for (const media of Object.values(content)) {
      if (media.schema && media.examples === undefined && media.example === undefined) media.example = exampleOf(media.schema as JsonSchema, schemas);
    }
  };
  for (const { operation } of operationsOf(document)) {
    for (const parameter of operation.parameters ?? []) {
      const { examples = [], ...schema } = parameter.schema ?? {};
      if (examples.length > 0) Object.assign(parameter, { schema, example: parameter.example ?? examples[0] });
    }
    complete(operation.requestBody?.content);
    for (const { content } of Object.values(operation.responses)) complete(content);
  }
}
