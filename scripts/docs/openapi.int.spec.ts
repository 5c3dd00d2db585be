import { readFileSync } from 'node:fs';
import path from 'node:path';
import { operationsOf } from '@nestbox/http';
import type { OpenAPIObject } from '@nestjs/swagger';
import spectral from '@stoplight/spectral-core';
import rulesets from '@stoplight/spectral-rulesets';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../project.ts';

const text = readFileSync(path.join(projectRoot, 'docs/openapi.json'), 'utf8');
const document = JSON.parse(text) as OpenAPIObject;

/** Spectral with its own rules for OpenAPI, spectral:oas. */
function linter(): spectral.Spectral {
  const made = new spectral.Spectral();
  made.setRuleset({ extends: rulesets.oas as spectral.RulesetDefinition });
  return made;
}

/** What its rules say of a document, warnings and hints too. */
async function lint(linted: object): Promise<string[]> {
  const found = await linter().run(JSON.stringify(linted));
  return found.map(({ code, path: where, message }) => `${code} ${where.join('.')}: ${message}`);
}

describe('docs/openapi.json', () => {
  it('breaks no rule of Spectral for OpenAPI', async () => {
    const rules = Object.values(linter().ruleset!.rules).filter(({ enabled }) => enabled);
    process.stdout.write(`${rules.length} rules, ${operationsOf(document).length} operations.\n`);
    expect(await lint(document)).toEqual([]);
  });

  it('would be found out: a rule is broken by an operation without its words, and by an example that is none', async () => {
    const broken = JSON.parse(text) as { paths: { '/v1/orders': { post: { description?: string; requestBody: { content: { 'application/json': { examples: { plain: { value: object } } } } } } } } };
    const { post } = broken.paths['/v1/orders'];
    delete post.description;
    post.requestBody.content['application/json'].examples.plain.value = { customerId: 7, coupon: 'X' };
    expect((await lint(broken)).map((found) => found.split(' ')[0]).toSorted()).toEqual(expect.arrayContaining(['oas3-valid-media-example', 'operation-description']));
  });

  it('is OpenAPI 3.1 for generators of clients: every operation has a name of its own, words, and a schema for every body', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const operations = operationsOf(document);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    for (const { operation } of operations) {
      const { operationId, summary, parameters = [], requestBody, responses } = operation;
      expect([operationId, summary]).toEqual([expect.stringMatching(/^[a-z][A-Za-z]+$/), expect.any(String)]);
      const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)].flatMap((content) => Object.values(content ?? {}));
      for (const { schema, example, examples } of contents) expect([schema, example ?? examples]).toEqual([expect.any(Object), expect.any(Object)]);
      for (const parameter of parameters) expect([parameter.schema, parameter.description, parameter.in === 'path' ? parameter.example : 'any']).toEqual([expect.any(Object), expect.any(String), expect.any(String)]);
    }
  });

  it('says nothing in the words of OpenAPI 3.0', () => {
    const schemas: unknown[] = [document.components!.schemas, ...operationsOf(document).flatMap(({ operation }) => (operation.parameters ?? []).map(({ schema }) => schema))];
    expect(JSON.stringify(schemas)).not.toMatch(/"(nullable|example)":|"exclusiveM[a-z]+":(true|false)|"allOf":\[\{[^{}]*\}\]/);
    expect(JSON.stringify(schemas)).toMatch(/"type":\["string","null"\]/);
  });
});
