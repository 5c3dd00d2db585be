import type { Type } from '@nestjs/common';
import { DECORATORS } from '@nestjs/swagger';
import { type JsonSchema, UsageError } from '@nestbox/kernel';
import { getMetadataStorage } from 'class-validator';

/** What `@ApiProperty` keeps about a field. */
interface Field extends Omit<JsonSchema, 'type' | 'required' | 'items'> {
  readonly type?: unknown;
  readonly isArray?: boolean;
  readonly items?: Field;
  readonly required?: boolean;
  readonly nullable?: boolean;
  readonly example?: unknown;
}

/** Keywords that say something about one value, and those about a list of them. */
const VALUE = ['format', 'const', 'enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength'] as const;
const LIST = ['minItems', 'maxItems'] as const;

/**
 * The JSON Schema of a class, from what `@ApiProperty` says about its fields: OpenAPI and the contracts of messages are
 * one description.
 * @throws UsageError for a field that has rules but no description, and for a class within itself
 */
export function schemaOf(type: Type, within: readonly Type[] = []): JsonSchema {
  if (within.includes(type)) throw new UsageError(`${type.name} is a field of itself (${[...within, type].map(({ name }) => name).join(' → ')}).`, 'a message has an end: give the inner one a class of its own.');
  const names = ((Reflect.getMetadata(DECORATORS.API_MODEL_PROPERTIES_ARRAY, type.prototype as object) as string[] | undefined) ?? []).map((name) => name.slice(1));
  checkDescribed(type, names);
  const fields = names.map((name) => [name, Reflect.getMetadata(DECORATORS.API_MODEL_PROPERTIES, type.prototype as object, name) as Field] as const);
  const required = fields.filter(([, field]) => field.required !== false).map(([name]) => name);
  const description = descriptionOf(type);
  return {
    title: type.name,
    ...(description !== undefined && { description }),
    type: 'object',
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(field, [...within, type], `${type.name}.${name}`)])),
    ...(required.length > 0 && { required }),
  };
}

/** The same schema without room for fields that it does not know: commands and queries with such fields are refused. */
export function closed(schema: JsonSchema): JsonSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, closed(field)])), additionalProperties: false }),
    ...(items && { items: closed(items) }),
  };
}

/** What `@ApiSchema` says about a class. */
export function descriptionOf(type: object): string | undefined {
  const schemas = Reflect.getOwnMetadata(DECORATORS.API_SCHEMA, type) as { readonly description?: string }[] | undefined;
  return schemas?.at(-1)?.description;
}

function fieldSchema(field: Field, within: readonly Type[], where: string): JsonSchema {
  const { description, example, default: fallback, isArray = false, nullable = false } = field;
  const list = isArray || field.type === 'array';
  const value = list && field.items ? valueSchema(field.items, within, where) : valueSchema(field, within, where);
  const schema = list ? { type: 'array', items: value, ...pick(field, LIST) } : value;
  return {
    ...schema,
    ...(nullable && { type: [schema.type as string, 'null'], ...('enum' in schema && schema.enum && { enum: [...schema.enum, null] }) }),
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    ...(example !== undefined && { examples: [example] }),
  };
}

function valueSchema(field: Field, within: readonly Type[], where: string): JsonSchema {
  const type = resolve(field.type);
  if (typeof type === 'string') return { type, ...pick(field, VALUE) };
  if (type === String || type === Number || type === Boolean) return { type: (type as Type).name.toLowerCase(), ...pick(field, VALUE) };
  if (type === Date) return { type: 'string', format: 'date-time' };
  if (typeof type === 'function' && Reflect.hasMetadata(DECORATORS.API_MODEL_PROPERTIES_ARRAY, type.prototype as object)) return schemaOf(type as Type, within);
  throw new UsageError(`It is not known of what type ${where} is.`, 'say it: @ApiProperty({ type: … }), or a decorator that carries it; the fields of a nested class need theirs, too.');
}

/** A class as it is, or out of `() => TheClass`. */
function resolve(type: unknown): unknown {
  return typeof type === 'function' && type.prototype === undefined ? (type as () => unknown)() : type;
}

function pick<K extends keyof JsonSchema>(field: Field, keys: readonly K[]): Pick<JsonSchema, K> {
  const from = field as JsonSchema;
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as Pick<JsonSchema, K>;
}

function checkDescribed(type: Type, described: readonly string[]): void {
  const validated = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const forgotten = validated.find(({ propertyName }) => !described.includes(propertyName));
  if (forgotten) throw new UsageError(`${type.name}.${forgotten.propertyName} has rules but no description.`, 'add @ApiProperty({ … }) beside them, or use a decorator that carries both.');
}
