import 'reflect-metadata';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { catalogueOf } from '@nestbox/messaging';
import { describe, expect, it } from 'vitest';
import { contexts } from '../../src/contexts.js';
import { apiDocument } from '../../src/core/api-document.js';
import { messagesDocument } from '../../src/core/messages-document.js';
import { metrics } from '../../src/core/metrics.js';
import { settingSections } from '../../src/core/settings.js';
import { contractsOf } from '../contracts/contract.ts';
import { projectRoot } from '../project.ts';
import { dependenciesMarkdown } from './dependencies.ts';
import { documents } from './documents.ts';
import { brokenClaims } from './guarantees.ts';
import { reasons } from './reasons.ts';

describe('the generated documents', async () => {
  it.each([...documents(settingSections, metrics, messagesDocument(), await apiDocument(), contractsOf(catalogueOf(Object.values(contexts))))])('%s is what the code says (cure: npm run docs)', (file, text) => {
    expect(readFileSync(path.join(projectRoot, file), 'utf8')).toBe(text);
  });

  it('want a reason for every dependency', () => {
    const { pg: _, ...others } = reasons;
    expect(() => dependenciesMarkdown(others)).toThrow('No reason is given for pg. Add one to scripts/docs/reasons.ts, or remove the dependency.');
  });

  it('want a dependency for every reason', () => {
    expect(() => dependenciesMarkdown({ ...reasons, leftpad: 'Pads.' })).toThrow(/explains leftpad, which no package.json has/);
  });
});

describe('the page of guarantees', () => {
  const read = (target: string) => {
    const file = path.join(projectRoot, 'docs', target);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };

  it('claims nothing that no test shows', () => {
    const page = read('guarantees.md')!;
    expect(page.match(/\.spec\.ts\)/g)!.length).toBeGreaterThan(50);
    expect(brokenClaims(page, read)).toEqual([]);
  });

  it('is found out when a test is renamed, a file is gone, or a claim stands alone', () => {
    const specs: Record<string, string> = { 'a.spec.ts': "it('is \\'so\\'', () => {}); it.each([1])('counts', (n) => {});" };
    const claims = (text: string) => brokenClaims(`# Page\n\n## Promised\n\n${text}\n`, (target) => specs[target]);
    expect(claims("- It is so. [is 'so'](a.spec.ts)\n- It\n  counts. [counts](a.spec.ts)")).toEqual([]);
    expect(claims('- It is so. [is so](a.spec.ts)')).toEqual(['a.spec.ts has no test "is so"']);
    expect(claims('- It is so. [is so](b.spec.ts)')).toEqual(['there is no b.spec.ts']);
    expect(claims('- It is so.\n- It counts. [counts](a.spec.ts)')).toEqual(['no test is given for: - It is so. ']);
    expect(claims('- See [why](adr.md), [counts](a.spec.ts)')).toEqual(['there is no adr.md']);
    expect(brokenClaims('## Not promised\n\n- Eternal life.', () => undefined)).toEqual([]);
  });
});
