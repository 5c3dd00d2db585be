import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingSections } from '../../src/core/settings.js';
import { projectRoot } from '../project.ts';
import { dependenciesMarkdown } from './dependencies.ts';
import { documents } from './documents.ts';
import { reasons } from './reasons.ts';

describe('the generated documents', () => {
  it.each([...documents(settingSections)])('%s is what the code says (cure: npm run docs)', (file, text) => {
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
