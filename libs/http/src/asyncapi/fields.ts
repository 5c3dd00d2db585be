import type { JsonSchema } from '@nestbox/kernel';

/** One row of a table of fields. */
export interface FieldRow {
  /** `lines[].total.amount` */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  /** What a value has to be besides: `1 to 100`. */
  readonly rules: string;
  readonly description: string;
}

/** The fields of a schema and of what is within, one after the other. */
export function fieldRows(schema: JsonSchema, parent = ''): FieldRow[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    const row = { path, type: typeOf(field), required: required.includes(name), rules: rulesOf(field), description: field.description ?? '' };
    return [row, ...fieldRows(field, path), ...(field.items ? fieldRows(field.items, `${path}[]`) : [])];
  });
}

function typeOf({ type, format, items, title }: JsonSchema): string {
  if (items) return `list of ${typeOf(items)}`;
  const types = (typeof type === 'string' ? [type] : (type ?? ['anything'])).map((one) => (one === 'object' && title !== undefined ? title : one));
  return `${types.join(' or ')}${format === undefined ? '' : ` (${format})`}`;
}

function rulesOf(schema: JsonSchema): string {
  const { const: only, enum: words, pattern, items, default: fallback } = schema;
  return [
    only !== undefined && `always ${JSON.stringify(only)}`,
    words && `one of ${words.map((word) => JSON.stringify(word)).join(', ')}`,
    range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, ' characters'),
    range(schema.minItems, schema.maxItems, ' items'),
    pattern !== undefined && `matches ${pattern}`,
    items && rulesOf(items),
    fallback !== undefined && `default ${JSON.stringify(fallback)}`,
  ].filter(Boolean).join('; ');
}

function range(least: number | undefined, most: number | undefined, of: string): string {
  if (least === undefined && most === undefined) return '';
  if (least === undefined) return `at most ${most}${of}`;
  return most === undefined ? `at least ${least}${of}` : `${least} to ${most}${of}`;
}
