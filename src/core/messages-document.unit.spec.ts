import 'reflect-metadata';
import specs from '@asyncapi/specs';
import type { JsonSchema } from '@nestbox/kernel';
import { Ajv, type AnySchema } from 'ajv';
import { describe, expect, it } from 'vitest';
import { messagesDocument } from './messages-document.js';

const document = messagesDocument();
const messages = Object.entries(document.components.messages);

/** Paths of the fields that neither have a description nor consist of fields that have one. */
function undescribed({ properties = {} }: JsonSchema, parent: string): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const inner = field.items ?? field;
    return inner.properties ? undescribed(inner, `${parent}.${name}`) : field.description === undefined ? [`${parent}.${name}`] : [];
  });
}

describe('the AsyncAPI document of the application', () => {
  it('is one, by the schema of AsyncAPI 3.0', () => {
    // It brings its own copy of the schema of schemas.
    const validate = new Ajv({ strict: false, validateFormats: false, validateSchema: false, meta: false }).compile(specs.schemas['3.0.0'] as AnySchema);
    expect([validate(document), validate.errors]).toEqual([true, null]);
  });

  it('leads nowhere else than into itself', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, pointer]) => pointer!.split('/'));
    expect(references.length).toBeGreaterThan(50);
    const found = references.filter((path) => path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document) !== undefined);
    expect(found).toHaveLength(references.length);
  });

  it('tells of every event what it says, and of every field what it is', () => {
    const events = messages.filter(([id]) => `publish.${id}` in document.operations);
    expect(events).toHaveLength(10);
    for (const [id, { summary, payload }] of events) {
      expect(summary, id).toMatch(/\.$/);
      expect(undescribed(payload, id)).toEqual([]);
    }
  });

  it('tells what every command and query gives back', () => {
    const silent = messages.filter(([, { payload }]) => payload.properties?.['response']?.description === 'Not described.').map(([id]) => id);
    expect(silent).toEqual([]);
  });

  it.each(messages)('gives an example of %s that is one', (_, { payload, examples }) => {
    const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(payload as AnySchema);
    expect([validate(examples![0]!.payload), validate.errors]).toEqual([true, null]);
  });
});
