import type { JsonSchema } from './asyncapi.js';

/**
 * A value that a schema lets through, out of the examples of its fields. Fields that may be left out are there when they have one.
 * @param definitions the schemas that references lead to, by their names
 */
export function exampleOf(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>> = {}): unknown {
  const [example] = schema.examples ?? [];
  if (example !== undefined) return example;
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.$ref !== undefined) return referredExample(schema.$ref.split('/').at(-1)!, definitions);
  if (schema.anyOf) return exampleOf(schema.anyOf[0] ?? {}, definitions);
  const type = Array.isArray(schema.type) ? (schema.type as string[])[0] : schema.type;
  if (type === 'array') return [exampleOf(schema.items ?? {}, definitions)].filter((item) => item !== undefined);
  if (type === 'object') return objectExample(schema, definitions);
  if (type === 'string') return stringExample(schema);
  if (type === 'boolean') return true;
  return type === 'integer' || type === 'number' ? Math.max(schema.minimum ?? 1, 1) : null;
}

/** Undefined within itself: a list of its own kind is empty there. */
function referredExample(name: string, { [name]: schema, ...others }: Readonly<Record<string, JsonSchema>>): unknown {
  return schema && exampleOf(schema, others);
}

function objectExample({ properties = {}, required = [] }: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): Record<string, unknown> {
  const shown = Object.entries(properties).filter(([name, field]) => required.includes(name) || field.examples || field.const !== undefined);
  return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field, definitions)]));
}

function stringExample({ format }: JsonSchema): string {
  if (format === 'uuid') return '019acf5e-7c00-7000-8000-000000000000';
  if (format === 'date-time') return '2026-03-01T12:00:00.000Z';
  return 'text';
}
