import { describe, expect, it } from 'vitest';
import type { JsonSchema } from './asyncapi.js';
import { exampleOf } from './example.js';

const tree: JsonSchema = { type: 'object', properties: { name: { type: 'string', examples: ['root'] }, branches: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } }, required: ['name', 'branches'] };

describe('the example of a schema', () => {
  it.each<[string, JsonSchema, unknown]>([
    ['its own', { type: 'string', examples: ['a', 'b'] }, 'a'],
    ['the first of its words', { type: 'string', enum: ['new', 'used'] }, 'new'],
    ['a number that is not too small', { type: ['integer', 'null'], minimum: 3 }, 3],
    ['that of the first alternative', { anyOf: [{ type: 'boolean' }, { type: 'null' }] }, true],
    ['what has to be there, and what may be and has an example', { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' }, c: { examples: [1] } }, required: ['a'] }, { a: 'text', c: 1 }],
    ['that of what it refers to, which ends within itself', { $ref: '#/components/schemas/Tree' }, { name: 'root', branches: [] }],
  ])('is %s', (_, schema, expected) => {
    expect(exampleOf(schema, { Tree: tree })).toEqual(expected);
  });
});
