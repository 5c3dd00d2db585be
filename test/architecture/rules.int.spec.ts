import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const config = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as { forbidden: { name: string }[] };

/** For every rule one file that breaks it: [file, what it imports]. */
const violations: Record<string, [string, string][]> = {
  'no-circular': [['src/core/a.ts', './b.js'], ['src/core/b.ts', './a.js']],
  'libraries-know-no-application': [['libs/ops/src/bad.ts', '../../../src/core/a.js']],
  'kernel-depends-on-nothing': [['libs/kernel/src/bad.ts', 'rxjs']],
  'persistence-knows-the-kernel-only': [['libs/persistence/src/bad.ts', '@nestbox/messaging']],
  'messaging-knows-kernel-and-persistence': [['libs/messaging/src/bad.ts', '@nestbox/http']],
  'http-and-ops-know-the-kernel-only': [['libs/http/src/bad.ts', '@nestbox/persistence']],
  'models-are-plain': [['src/domain/ordering/models/bad.ts', '@nestjs/common']],
  'events-carry-their-fields': [['src/domain/ordering/models/bad.events.ts', '@nestjs/common']],
  'contexts-meet-in-events-only': [['src/domain/billing/interactors/bad.ts', '../../ordering/models/order.js']],
  'domain-knows-no-entry-point': [['src/domain/billing/interactors/worse.ts', '../../../core/a.js']],
  'api-translates-only': [['src/api/ordering/bad.ts', '../../domain/ordering/repositories/orders.js']],
  'interactors-use-repositories': [['src/domain/ordering/interactors/bad.ts', 'typeorm']],
  'application-code-speaks-no-broker': [['src/api/ordering/worse.ts', '@nats-io/transport-node']],
};

describe('the rules of the layers', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestbox-rules-'));
    for (const name of ['.dependency-cruiser.cjs', 'tsconfig.base.json', 'tsconfig.json', 'package.json']) cpSync(join(root, name), join(folder, name));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const lib of ['kernel', 'persistence', 'messaging', 'http', 'ops']) write(`libs/${lib}/src/index.ts`, 'export {};');
    for (const file of ['ordering/models/order', 'ordering/models/order.events', 'ordering/repositories/orders']) write(`src/domain/${file}.ts`, 'export {};');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function write(file: string, text: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }

  function cruise(where: string, ...args: string[]): { summary: { violations: { from: string; rule: { name: string } }[] } } {
    const program = join(root, 'node_modules/.bin/depcruise');
    try {
      return JSON.parse(execFileSync(program, ['--config', '.dependency-cruiser.cjs', '-T', 'json', ...args], { cwd: where, encoding: 'utf8', maxBuffer: 64 << 20 }));
    } catch (error) {
      // The exit code is the number of violations.
      return JSON.parse((error as { stdout: string }).stdout);
    }
  }

  it('each have a file here that breaks them', () => {
    expect(Object.keys(violations).sort()).toEqual(config.forbidden.map(({ name }) => name).sort());
  });

  it('each find the file that breaks them', () => {
    for (const files of Object.values(violations)) {
      for (const [file, imported] of files) write(file, `import * as it from '${imported}';\nexport const uses = it;\n`);
    }
    const { summary } = cruise(folder, 'src', 'libs');
    for (const [rule, files] of Object.entries(violations)) {
      const found = summary.violations.filter((violation) => violation.rule.name === rule).map(({ from }) => from);
      expect(found, rule).toContain(files[0]![0]);
    }
  });

  it('are kept by the project itself', () => {
    expect(cruise(root, 'src', 'libs').summary.violations).toEqual([]);
  });
});

describe('files', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'libs', 'scripts', 'test'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => /\.(ts|mjs|cjs)$/.test(file));

  it('stay below 300 lines, specs below 400', () => {
    const long = tracked
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ file, lines }) => lines > (file.includes('.spec.') ? 400 : 300));
    expect(long).toEqual([]);
  });

  it('of the domain and the API do not ask in which mode they run', () => {
    const asking = tracked
      .filter((file) => /^src\/(domain|api)\//.test(file) && !file.includes('.spec.'))
      .filter((file) => /process\.env|\bSERVICE\b|topology|jetstream|\bnats\b/i.test(readFileSync(join(root, file), 'utf8')));
    expect(asking).toEqual([]);
  });

  it('of repositories read what the current tenant has, and nothing past it', () => {
    const past = /\.(manager|dataSource|query|pool|connect\w*)\b/;
    const repositories = tracked.filter((file) => /^src\/domain\/[^/]+\/repositories\//.test(file) && !file.includes('.spec.'));
    expect(repositories.filter((file) => past.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
    expect(past.test('this.db.manager.findOneBy(OrderSchema, { id })')).toBe(true);
  });

  it('keep one index.ts per library and no other barrel', () => {
    const barrels = tracked.filter((file) => /(^|\/)index\.ts$/.test(file) && !/^libs\/[a-z]+\/src\/index\.ts$/.test(file));
    expect(barrels).toEqual([]);
  });
});
