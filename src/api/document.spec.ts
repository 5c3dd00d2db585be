import type { OpenAPIObject } from '@nestjs/swagger';

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly example?: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly 'x-permission'?: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
};

/** The OpenAPI document, as a client that believes every word of it reads it. */
export class ApiDocument {
  constructor(private readonly document: OpenAPIObject) {}

  /** Every operation: `get /v1/orders`. */
  get operations(): Map<string, Operation> {
    const all = Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, unknown>).map(([method, operation]) => [`${method} ${path}`, operation as Operation] as const),
    );
    return new Map(all.filter(([, operation]) => operation.operationId !== undefined));
  }

  /** The bodies that the document gives as examples for an operation, or makes one out of the examples of its fields. */
  examplesOf(operation: string): unknown[] {
    const body = this.operation(operation).requestBody?.content['application/json'];
    if (!body) return [undefined];
    if (body.examples) return Object.values(body.examples).map((example) => example.value);
    const { properties = {} } = this.resolve(body.schema);
    return [Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, schema.example]))];
  }

  /** In what an answer differs from what the document says about it; empty when in nothing. */
  differences(operation: string, status: number, contentType: string, body: unknown): string[] {
    const schema = this.operation(operation).responses[status]?.content?.[contentType]?.schema;
    if (!schema) return [`${operation} is not documented to answer ${status} as ${contentType}`];
    return this.compare(schema, body, '');
  }

  /** The codes of all problems that an operation is documented to answer, each after its status: `404 ordering.order-not-found`. */
  problemsOf(operation: string): string[] {
    return Object.entries(this.operation(operation).responses).flatMap(([status, { content }]) => {
      const schema = content?.['application/problem+json']?.schema;
      return schema ? this.resolve(schema).properties!['code']!.enum!.map((code) => `${status} ${String(code)}`) : [];
    });
  }

  private compare(declared: Schema, value: unknown, path: string): string[] {
    const schema = this.resolve(declared);
    if (value === null) return declared.nullable ? [] : [`${path} is null`];
    const actual = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
    const expected = schema.type ?? (schema.enum ? 'string' : undefined);
    if (actual !== expected) return [`${path} is ${actual}, documented as ${expected}`];
    if (schema.enum && !schema.enum.includes(value)) return [`${path} is "${String(value)}", not one of ${schema.enum.join(', ')}`];
    if (schema.format && !FORMATS[schema.format]?.test(value as string)) return [`${path} is not a ${schema.format}: ${String(value)}`];
    if (Array.isArray(value)) return value.flatMap((item, index) => this.compare(schema.items!, item, `${path}/${index}`));
    return actual === 'object' ? this.compareFields(schema, value as Record<string, unknown>, path) : [];
  }

  private compareFields({ properties = {}, required = [], additionalProperties }: Schema, value: Record<string, unknown>, path: string): string[] {
    if (additionalProperties) return [];
    return [
      ...required.filter((name) => !(name in value)).map((name) => `${path}/${name} is missing`),
      ...Object.entries(value).flatMap(([name, field]) => (properties[name] ? this.compare(properties[name], field, `${path}/${name}`) : [`${path}/${name} is not documented`])),
    ];
  }

  private operation(name: string): Operation {
    const found = this.operations.get(name);
    if (!found) throw new Error(`The document has no operation "${name}", only ${[...this.operations.keys()].join(', ')}.`);
    return found;
  }

  private resolve(schema: Schema): Schema {
    if (schema.$ref) return this.document.components!.schemas![schema.$ref.split('/').at(-1)!] as Schema;
    if (!schema.allOf) return schema;
    const { allOf, ...rest } = schema;
    const parts = allOf.map((part) => this.resolve(part));
    return Object.assign({}, rest, ...parts, { properties: Object.assign({}, ...parts.map((part) => part.properties)) as Schema['properties'] }) as Schema;
  }
}
