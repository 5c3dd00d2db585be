import type { OpenAPIObject } from '@nestjs/swagger';
import { type Content, operationsOf, type Schema, schemasOf } from './operations.js';

/** A schema as decorators of OpenAPI 3.0 leave it. */
interface OldSchema extends Omit<Schema, 'exclusiveMinimum' | 'exclusiveMaximum'> {
  readonly example?: unknown;
  readonly exclusiveMinimum?: boolean | number;
  readonly exclusiveMaximum?: boolean | number;
}

type Convert = (schema: Schema) => Schema;

/**
 * Makes JSON Schemas (2020-12) of the schemas of a document, which decorators have written for OpenAPI 3.0. What may be null is
 * converted by `@nestjs/swagger` itself, once the document says that it is of OpenAPI 3.1.
 */
export function modernise(document: OpenAPIObject): void {
  replaceSchemas(document, (schema) => mapSchema(schema, modern));
}

/** Says of what a request sends that it has no other fields: `validationPipe` refuses them. */
export function closeRequests(document: OpenAPIObject): void {
  const schemas = schemasOf(document);
  const contents = operationsOf(document).flatMap(({ operation }) => (operation.requestBody ? [operation.requestBody.content] : []));
  for (const name of reachable(contents.flatMap((content) => Object.values(content).flatMap(({ schema }) => (schema ? [schema] : []))), schemas)) {
    schemas[name] = mapSchema(schemas[name]!, closed);
  }
}

/** Every schema that has fields, without room for others; `keyword` is `unevaluatedProperties` where parts of a whole are fields, too. */
export function closed(schema: Schema, keyword: 'additionalProperties' | 'unevaluatedProperties' = 'additionalProperties'): Schema {
  const { properties, additionalProperties } = schema;
  return properties && additionalProperties === undefined ? { ...schema, [keyword]: false } : schema;
}

/** A schema after `convert`, and every schema within it. */
export function mapSchema(schema: Schema, convert: Convert, { parts = true } = {}): Schema {
  const { properties, items, additionalProperties, allOf, anyOf, oneOf, not } = schema;
  const map = (inner: Schema) => mapSchema(inner, convert, { parts });
  return convert({
    ...schema,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, map(field)])) }),
    ...(items && { items: map(items) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: map(additionalProperties) }),
    ...(allOf && parts && { allOf: allOf.map(map) }),
    ...(anyOf && { anyOf: anyOf.map(map) }),
    ...(oneOf && { oneOf: oneOf.map(map) }),
    ...(not && { not: map(not) }),
  });
}

/** Replaces every schema of a document, wherever it stands. */
export function replaceSchemas(document: OpenAPIObject, convert: Convert): void {
  const schemas = schemasOf(document);
  for (const [name, schema] of Object.entries(schemas)) schemas[name] = convert(schema);
  const replaceIn = (holders: Iterable<{ schema?: Schema }>) => {
    for (const holder of holders) if (holder.schema) holder.schema = convert(holder.schema);
  };
  const replaceInContent = (content: Content = {}) => replaceIn(Object.values(content));
  for (const { operation } of operationsOf(document)) {
    replaceIn(operation.parameters ?? []);
    replaceInContent(operation.requestBody?.content);
    for (const { content, headers } of Object.values(operation.responses)) {
      replaceInContent(content);
      replaceIn(Object.values(headers ?? {}) as { schema?: Schema }[]);
    }
  }
}

function modern(old: Schema): Schema {
  const { example, exclusiveMinimum, exclusiveMaximum, allOf, ...rest } = old as OldSchema;
  // Beside a reference, 3.0 allowed no other word; 3.1 does.
  const [only, ...others] = allOf ?? [];
  const reference = only && others.length === 0 && !rest.properties ? only : undefined;
  return {
    ...reference,
    ...rest,
    ...(allOf && !reference && { allOf }),
    ...(example !== undefined && { examples: [example] }),
    ...exclusive('Minimum', exclusiveMinimum, rest),
    ...exclusive('Maximum', exclusiveMaximum, rest),
  };
}

/** A limit that is not reached itself: 3.0 said so beside the limit, 3.1 says it instead. */
function exclusive(which: 'Minimum' | 'Maximum', value: boolean | number | undefined, schema: OldSchema): Schema {
  const limit = which === 'Minimum' ? 'minimum' : 'maximum';
  if (value === undefined || value === false) return {};
  return value === true ? { [`exclusive${which}`]: schema[limit], [limit]: undefined } : { [`exclusive${which}`]: value };
}

/** The names of all schemas that these refer to, and those refer to. */
function reachable(schemas: readonly Schema[], all: Readonly<Record<string, Schema>>): Set<string> {
  const names = new Set<string>();
  const visit = (schema: Schema): void => {
    mapSchema(schema, (inner) => {
      const name = inner.$ref?.split('/').at(-1);
      if (name !== undefined && all[name] && !names.has(name)) {
        names.add(name);
        visit(all[name]);
      }
      return inner;
    });
  };
  for (const schema of schemas) visit(schema);
  return names;
}
