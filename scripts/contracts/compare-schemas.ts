import type { JsonSchema } from '@nestbox/kernel';

/**
 * Who has values of a schema. `written`: we make them, others read them, so nothing that they know may go. `read`: others
 * make them, or they are stored already, so everything that was let through must still be.
 */
export interface Use {
  readonly written: boolean;
  readonly read: boolean;
}

const LEAST = ['minimum', 'minLength', 'minItems'] as const;
const MOST = ['maximum', 'maxLength', 'maxItems'] as const;

/** What others would notice of a change of a schema: a sentence for each, none when they would not. A new value of an enum passes: who reads one expects others. */
export function breakingChanges(before: JsonSchema, after: JsonSchema, use: Use, path = ''): string[] {
  const changes = [...typeChanges(before, after, use), ...ruleChanges(before, after, use)].map((change) => `${path === '' ? 'it' : `"${path}"`} ${change}`);
  return [
    ...changes,
    ...fieldChanges(before, after, use, path),
    ...(before.items && after.items ? breakingChanges(before.items, after.items, use, `${path}[]`) : []),
  ];
}

function fieldChanges(before: JsonSchema, after: JsonSchema, use: Use, path: string): string[] {
  const [fields, needed, was] = [after.properties ?? {}, new Set(after.required), new Set(before.required)];
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const old = Object.entries(before.properties ?? {}).flatMap(([name, field]) => {
    const now = fields[name];
    if (!now) return [`"${at(name)}" is gone`];
    const optional = use.written && was.has(name) && !needed.has(name) ? [`"${at(name)}" may be left out now`] : [];
    return [...optional, ...breakingChanges(field, now, use, at(name))];
  });
  const demanded = use.read ? [...needed].filter((name) => !was.has(name)) : [];
  return [...old, ...demanded.map((name) => `"${at(name)}" is required now`)];
}

function typeChanges(before: JsonSchema, after: JsonSchema, { written, read }: Use): string[] {
  const [was, is] = [typesOf(before), typesOf(after)];
  const added = is.filter((type) => !was.includes(type));
  const removed = was.filter((type) => !is.includes(type));
  if (!((written && added.length > 0) || (read && removed.length > 0))) return before.format === after.format ? [] : [`was of format ${before.format ?? 'none'} and is of ${after.format ?? 'none'}`];
  return [`was ${was.join(' or ')} and is ${is.join(' or ')}`];
}

function ruleChanges(before: JsonSchema, after: JsonSchema, { read }: Use): string[] {
  if (!read) return [];
  const words = before.enum?.filter((word) => after.enum && !after.enum.includes(word)) ?? [];
  return [
    ...words.map((word) => `may not be ${JSON.stringify(word)} any more`),
    ...(!before.enum && after.enum ? ['may only be one of a few words now'] : []),
    ...(after.const !== undefined && after.const !== before.const ? [`is always ${JSON.stringify(after.const)} now`] : []),
    ...(after.pattern !== undefined && after.pattern !== before.pattern ? [`has to match ${after.pattern} now`] : []),
    ...LEAST.filter((rule) => (after[rule] ?? -Infinity) > (before[rule] ?? -Infinity)).map((rule) => `has a ${rule} of ${after[rule]} now, not ${before[rule] ?? 'none'}`),
    ...MOST.filter((rule) => (after[rule] ?? Infinity) < (before[rule] ?? Infinity)).map((rule) => `has a ${rule} of ${after[rule]} now, not ${before[rule] ?? 'none'}`),
  ];
}

function typesOf({ type = 'anything' }: JsonSchema): readonly string[] {
  return typeof type === 'string' ? [type] : type;
}
