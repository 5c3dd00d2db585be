import type { OpenAPIObject } from '@nestjs/swagger';
import type { JsonSchema } from '@nestbox/kernel';

/** A schema of OpenAPI 3.1: JSON Schema 2020-12. */
export interface Schema extends Omit<JsonSchema, 'allOf' | 'anyOf' | 'items' | 'properties' | 'additionalProperties'> {
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly unevaluatedProperties?: boolean;
}

/** An example of a body, as the documentation shows it. */
export interface Example {
  readonly summary?: string;
  readonly value: unknown;
}

/** A body in one media type. */
export interface Media {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, Example | { readonly $ref: string }>;
}

export type Content = Record<string, Media>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly description?: string;
  schema?: Schema;
  example?: unknown;
}

export interface Answer {
  description: string;
  headers?: Record<string, { readonly $ref: string } | { readonly description?: string; schema?: Schema }>;
  content?: Content;
}

/** An operation of an OpenAPI document. */
export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  description?: string;
  deprecated?: boolean;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  parameters?: Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Record<string, Answer>;
}

/** An operation, and where it is. */
export interface Located<O> {
  /** In lower case, as the document has it. */
  readonly method: string;
  /** With parameters in braces: `/v1/orders/{id}`. */
  readonly path: string;
  readonly operation: O;
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/** All operations of a document, in its order. `O` adds what somebody keeps in them for a while. */
export function operationsOf<O = unknown>(document: OpenAPIObject): Located<Operation & O>[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, unknown>).filter(([method]) => METHODS.has(method)).map(([method, operation]) => ({ method, path, operation: operation as Operation & O })),
  );
}

/** The schemas of a document by their names. */
export function schemasOf(document: OpenAPIObject): Record<string, Schema> {
  return (document.components?.schemas ?? {}) as Record<string, Schema>;
}
