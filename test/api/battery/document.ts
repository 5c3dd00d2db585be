import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** A schema of OpenAPI, of 3.0 (`nullable`, `example`) or 3.1 (lists of types, `examples`). */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly schema?: Schema;
  readonly example?: unknown;
}

interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
}

interface RawOperation {
  readonly operationId?: string;
  readonly parameters?: readonly (Parameter & { readonly $ref?: string })[];
  readonly requestBody?: { readonly $ref?: string; readonly content?: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, Media>> }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: object;
}

/** One operation, with everything that a stranger learns about it from the document. */
export interface Operation {
  /** `post /v1/orders` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Schema of the JSON body; undefined for an operation without one. */
  readonly body?: Schema;
  readonly bodyExamples: readonly unknown[];
  /** Whether a body, or the text of a parameter read as its type, is one by its schema. */
  readonly allows: (schema: Schema, value: unknown) => boolean;
  /** Whether the document says that this may be answered. */
  readonly documents: (status: number, code?: string) => boolean;
  /** A schema behind its `$ref`. */
  readonly resolve: (schema: Schema) => Schema;
}

/** Finds what a `$ref` refers to. */
type Resolve = <T extends object>(part: T & { readonly $ref?: string }) => T;

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace']);
const FORMATS = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  'date-time': { type: 'string' as const, validate: isDateTime },
};

/** Source: RFC 3339, section 5.6. */
function isDateTime(text: string): boolean {
  const [, day] = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i.exec(text) ?? [];
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day!);
}

/** The operations of an OpenAPI document. */
export function operationsOf(document: Document): Operation[] {
  const ajv = new Ajv2020({ strict: false, logger: false, formats: FORMATS });
  const compiled = new Map<Schema, ValidateFunction>();
  const allows = (schema: Schema, value: unknown) => {
    // With the components beside it, a reference means here what it means in the document.
    if (!compiled.has(schema)) compiled.set(schema, ajv.compile({ ...schema, components: document.components }));
    return compiled.get(schema)!(value);
  };
  const resolve: Resolve = (part) => {
    if (part.$ref === undefined) return part;
    const found = part.$ref.slice(2).split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
    if (!found) throw new Error(`The document refers to ${part.$ref}, and has no such thing.`);
    return resolve(found as typeof part);
  };
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).filter(([method]) => METHODS.has(method)).map(([method, operation]) => {
      const ofPath = (item['parameters'] ?? []) as unknown as NonNullable<RawOperation['parameters']>;
      const media = operation.requestBody && resolve(operation.requestBody).content?.['application/json'];
      const body = media?.schema;
      return {
        name: `${method} ${path}`, method: method.toUpperCase(), path,
        parameters: [...ofPath, ...(operation.parameters ?? [])].map((parameter) => resolve(parameter)),
        ...(body && { body }),
        bodyExamples: media ? examplesOf(media, resolve) : [],
        allows, resolve,
        documents: (status, code) => {
          const response = operation.responses[status] ?? operation.responses[`${String(status)[0]}XX`] ?? operation.responses['default'];
          if (!response) return false;
          const problem = resolve(response).content?.['application/problem+json']?.schema;
          const codes = problem ? codesOf(problem, resolve) : [];
          return code === undefined || codes.length === 0 || codes.includes(code);
        },
      } satisfies Operation;
    }),
  );
}

/** The codes that a schema of a problem names. */
function codesOf(schema: Schema, resolve: (schema: Schema) => Schema): unknown[] {
  const { properties, allOf = [], anyOf = [], oneOf = [] } = resolve(schema);
  const code = properties?.['code'];
  return [...(code?.enum ?? (code?.const === undefined ? [] : [code.const])), ...[...allOf, ...anyOf, ...oneOf].flatMap((part) => codesOf(part, resolve))];
}

function examplesOf(media: Media, resolve: Resolve): unknown[] {
  if (media.examples) return Object.values(media.examples).map((example) => resolve<{ readonly value?: unknown }>(example).value);
  return [media.example ?? exampleOf(media.schema!, resolve)];
}

/** An example by a schema: its own, or one of its fields; a field that may be left out and has no example is. */
export function exampleOf(declared: Schema, resolve: (schema: Schema) => Schema): unknown {
  const schema = resolve(declared);
  const given = declared.example ?? declared.examples?.[0] ?? schema.example ?? schema.examples?.[0] ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) return given;
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => exampleOf(part, resolve))) as unknown;
  const [type] = [schema.type].flat();
  if (type === 'array') return [exampleOf(schema.items!, resolve)];
  if (type !== 'object') return schema.default ?? { string: 'example', integer: 1, number: 1, boolean: true }[type ?? 'string'];
  const wanted = Object.entries(schema.properties ?? {}).filter(([name, field]) => schema.required?.includes(name) || hasExample(resolve(field)));
  return Object.fromEntries(wanted.map(([name, field]) => [name, exampleOf(field, resolve)]));
}

function hasExample({ example, examples }: Schema): boolean {
  return example !== undefined || examples !== undefined;
}
