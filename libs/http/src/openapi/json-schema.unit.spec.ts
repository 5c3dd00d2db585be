import type { OpenAPIObject } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { closeRequests, modernise } from './json-schema.js';
import type { Schema } from './operations.js';

/** A document with these schemas, and one operation that takes and answers them. */
function documentOf(schemas: Record<string, object>): OpenAPIObject {
  const content = (name: string) => ({ content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } });
  return {
    openapi: '3.1.0',
    info: { title: 'A test', version: '1' },
    paths: {
      '/things': {
        post: {
          parameters: [{ name: 'size', in: 'query', schema: { type: 'integer', minimum: 0, exclusiveMinimum: true, example: 3 } }],
          requestBody: content('Sent'),
          responses: { 200: { description: 'Done.', ...content('Answered'), headers: { Age: { schema: { type: 'integer', example: 7 } } } } },
        },
      },
    },
    components: { schemas },
  } as unknown as OpenAPIObject;
}

function modern(schema: object): Schema {
  const document = documentOf({ It: schema });
  modernise(document);
  return document.components!.schemas!['It'] as Schema;
}

describe('schemas that decorators have written for OpenAPI 3.0', () => {
  it.each<[string, object, object]>([
    ['an example', { type: 'string', example: 'a' }, { type: 'string', examples: ['a'] }],
    ['an example that is false', { type: 'boolean', example: false }, { type: 'boolean', examples: [false] }],
    ['a limit that is not reached', { type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: true }, { type: 'number', exclusiveMinimum: 1, exclusiveMaximum: 9 }],
    ['a limit that is reached', { type: 'number', minimum: 1, exclusiveMinimum: false }, { type: 'number', minimum: 1 }],
    ['a limit as 3.1 says it', { type: 'number', exclusiveMinimum: 1 }, { type: 'number', exclusiveMinimum: 1 }],
    ['words beside a reference', { description: 'A.', allOf: [{ $ref: '#/x' }] }, { description: 'A.', $ref: '#/x' }],
    ['a whole of two parts', { allOf: [{ $ref: '#/x' }, { type: 'object', properties: { a: { example: 1 } } }] }, { allOf: [{ $ref: '#/x' }, { type: 'object', properties: { a: { examples: [1] } } }] }],
    ['a field within', { properties: { a: { items: { example: 1 } } } }, { properties: { a: { items: { examples: [1] } } } }],
    ['a map', { additionalProperties: { example: 1 } }, { additionalProperties: { examples: [1] } }],
    ['alternatives', { anyOf: [{ example: 1 }, { oneOf: [{ not: { example: 2 } }] }] }, { anyOf: [{ examples: [1] }, { oneOf: [{ not: { examples: [2] } }] }] }],
    ['a field that is called example', { properties: { example: { type: 'string' } } }, { properties: { example: { type: 'string' } } }],
  ])('become JSON Schema: %s', (_, old, expected) => {
    expect(JSON.parse(JSON.stringify(modern(old)))).toEqual(expected);
  });

  it('are converted wherever they stand', () => {
    const document = documentOf({});
    modernise(document);
    const { post } = document.paths['/things'] as unknown as { post: { parameters: [{ schema: Schema }]; responses: { 200: { headers: { Age: { schema: Schema } } } } } };
    expect(JSON.parse(JSON.stringify(post.parameters[0].schema))).toEqual({ type: 'integer', exclusiveMinimum: 0, examples: [3] });
    expect(post.responses[200].headers.Age.schema).toEqual({ type: 'integer', examples: [7] });
  });
});

describe('what requests send', () => {
  it('has no other fields than those of the document, however deep; answers may get some', () => {
    const list = { type: 'array', items: { $ref: '#/components/schemas/Part' } };
    const document = documentOf({
      Sent: { type: 'object', properties: { parts: list, facts: { type: 'object', additionalProperties: true }, inner: { type: 'object', properties: {} } } },
      Part: { type: 'object', properties: { parts: list } },
      Answered: { type: 'object', properties: {} },
    });
    closeRequests(document);
    expect(document.components!.schemas).toMatchObject({
      Sent: { additionalProperties: false, properties: { facts: { additionalProperties: true }, inner: { additionalProperties: false } } },
      Part: { additionalProperties: false },
    });
    expect(document.components!.schemas!['Answered']).not.toHaveProperty('additionalProperties');
  });
});
