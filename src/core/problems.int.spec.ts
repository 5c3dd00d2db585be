import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { problemEntry } from '@nestbox/http';
import { definitionOf, DomainError, type ErrorDefinition } from '@nestbox/kernel';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RemoteClient } from '../../libs/messaging/src/nats/remote-client.js';
import { refusalText } from '../cli/output.js';
import { GetOrder } from '../domain/ordering/interactors/get-order.js';
import { applicationProblems } from './problems.js';
import { ScriptedOwner } from './scripted-owner.spec.js';

const root = path.resolve(import.meta.dirname, '../..');
const sources = globSync('{src,libs/*/src}/**/*.ts', { cwd: root, exclude: (file) => /\.spec\.ts$|(^|\/)(fixtures|testing|dist)(\/|$)/.test(file) });
const catalogue = applicationProblems();
const refusals = [...catalogue.values()].filter((definition): definition is ErrorDefinition => 'kind' in definition);

/** Every node of the sources, with its file. */
const nodes = sources.map((file) => ({ file, nodes: [...nodesOf(ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true))] }));

function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

/** Classes that extend `DomainError`, directly or through one another, with their files. */
function errorClasses(): Map<string, string> {
  const parents = nodes.flatMap(({ file, nodes: own }) =>
    own.filter(ts.isClassDeclaration).flatMap((declaration) => {
      const parent = declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]?.expression.getText();
      return declaration.name && parent ? [{ file, name: declaration.name.text, parent }] : [];
    }),
  );
  const found = new Map<string, string>();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { file, name, parent } of parents) if (parent === 'DomainError' || found.has(parent)) found.set(name, file);
  }
  return found;
}

function isDefinition(value: unknown): value is ErrorDefinition {
  return typeof value === 'object' && value !== null && 'code' in value && 'cure' in value;
}

const exportsOf = async (file: string) => (await import(pathToFileURL(path.join(root, file)).href)) as Record<string, unknown>;

describe('the catalogue of problems', () => {
  let owner: ScriptedOwner;
  beforeAll(async () => {
    // One operation answers every error here, whatever the document says of it.
    owner = await ScriptedOwner.start({ CHECK_RESPONSES: 'false' });
  });
  afterAll(() => owner?.stop());

  it('has the definition of every error class', async () => {
    const classes = errorClasses();
    for (const [name, file] of classes) {
      const found = (await exportsOf(file))[name] as { definition: ErrorDefinition } | undefined;
      expect(found, `${name} in ${file} is exported`).toBeDefined();
      expect(Object.hasOwn(found!, 'definition'), `${name} in ${file} has a definition`).toBe(true);
      expect(catalogue.get(definitionOf(found!).code), `${name} in ${file} is in the catalogue`).toBe(found!.definition);
    }
    process.stdout.write(`${classes.size} error classes, ${catalogue.size} problems.\n`);
    expect(classes.size).toBeGreaterThan(10);
  });

  it('has every definition that there is', async () => {
    const files = sources.filter((file) => /ErrorDefinition|HttpProblem\b/.test(readFileSync(path.join(root, file), 'utf8')));
    const exported = (await Promise.all(files.map(exportsOf))).flatMap((module) => Object.values(module)).flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
    const definitions = exported.filter(isDefinition);
    expect(definitions.length).toBeGreaterThan(40);
    expect(definitions.filter(({ code }) => !catalogue.has(code))).toEqual([]);
  });

  it('has every refusal: none is made of a kind and a code of its own', () => {
    const made = nodes.flatMap(({ file, nodes: own }) => own.filter(ts.isNewExpression).map(({ expression, arguments: given = [] }) => ({ file, what: expression.getText(), by: given[0] })));
    const own = made.filter(({ what, by }) => what === 'DomainError' && by !== undefined && ts.isObjectLiteralExpression(by)).map(({ file }) => file);
    // An error from another process keeps its code, whether that is known here or not.
    expect(own).toEqual(['libs/messaging/src/nats/remote-errors.ts']);
  });

  it('says of every problem why it happens, and what to do', () => {
    for (const { code, title, cause, cure } of catalogue.values()) {
      expect(title, code).toMatch(/^[A-Z].*[^.]$/);
      expect(cause, code).toMatch(/^[A-Z].*\.$/);
      expect(cure, code).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('is served by a process that has no context', async () => {
    const { gateway } = owner;
    expect((await gateway.inject({ url: '/problems', headers: { accept: 'application/json' } })).json<{ items: unknown[] }>().items).toHaveLength(catalogue.size);
    for (const definition of catalogue.values()) {
      const entry = problemEntry(definition);
      const page = await gateway.inject({ url: entry.type, headers: { accept: 'text/html' } });
      expect([page.statusCode, page.body.includes(`<code>${entry.code}</code>`)], entry.code).toEqual([200, true]);
      expect((await gateway.inject({ url: entry.type, headers: { accept: 'application/json' } })).json()).toEqual(entry);
    }
  });

  it('has the code and the title of what is answered, over NATS, HTTP and the command line', async () => {
    const { connection, subjects, gateway } = owner;
    const client = new RemoteClient({ connection, subjects, timeoutMs: 5_000 });
    const id = '01920000-0000-7000-8000-000000000000';
    for (const definition of refusals) {
      const { code, kind, title } = definition;
      const answer = async () => Promise.reject(new DomainError(definition, 'It is refused.', { fact: 1 }));
      await owner.answering(answer, async () => {
        const travelled: unknown = await client.request('query', new GetOrder(id)).catch((error: unknown) => error);
        expect(travelled).toBeInstanceOf(DomainError);
        expect(travelled).toMatchObject({ code, kind, message: 'It is refused.', details: { fact: 1 } });
        expect(refusalText(travelled as DomainError)).toBe(`It is refused. (${code})`);
        const { type, status } = problemEntry(definition);
        expect((await gateway.inject({ url: `/v1/orders/${id}`, headers: owner.caller })).json()).toMatchObject({ code, type, title, status, detail: 'It is refused.', details: { fact: 1 } });
      });
    }
    process.stdout.write(`${refusals.length} refusals came over NATS, HTTP and the command line as themselves.\n`);
  });

  it.each(['/nothing', '/v1', '/docs/nothing.js', '/admin', '/admin/trouble', '/metrics/nothing', '/health', '/health/nothing', '/problems/nothing/more'])('is all that is said of what is not there: %s', async (url) => {
    const answer = await owner.gateway.inject(url);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: 'http.not-found', status: 404 });
  });

  it.each([
    [['projection', 'rebuild', 'nothing'], 'cli.no-such-projection'],
    [['problem', 'show', 'nothing'], 'cli.no-such-problem'],
    [['trouble', 'replay'], 'cli.wrong-argument'],
  ])('has what the command line refuses: %s', async (args, code) => {
    const { stderr, status } = await cli(args);
    expect([status, stderr.trimEnd().endsWith(`(${code})`)], stderr).toEqual([1, true]);
  });

  it('is shown by the command line', async () => {
    const { stdout } = await cli(['problem', 'show', 'ordering.order-not-found', '--json']);
    expect(JSON.parse(stdout)).toEqual(problemEntry(catalogue.get('ordering.order-not-found')!));
    expect((await cli(['problem', 'show', 'http.too-large'])).stdout).toMatch(/^Too large\n {2}code {8}http\.too-large\n {2}status {6}413\n {2}why /);
    expect((await cli(['problem', 'list'])).stdout.trimEnd().split('\n')).toHaveLength(catalogue.size + 1);
  });
});

function cli(args: readonly string[]): Promise<{ stdout: string; stderr: string; status: number }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'dist/cli.js'), ...args], { cwd: root }, (error, stdout, stderr) => resolve({ stdout, stderr, status: error ? Number(error.code) : 0 }));
  });
}
