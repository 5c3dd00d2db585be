import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeFailures } from './test-failures.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'nestbox-failures-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const told = (testResults: unknown[]) => {
  const file = path.join(folder, 'tests.json');
  writeFileSync(file, JSON.stringify({ testResults }));
  return describeFailures(file);
};
const passed = { status: 'passed', fullName: 'adds', failureMessages: [] };

it('repeats each failed test with its reason, and not where', () => {
  const failed = { status: 'failed', fullName: 'sum adds up', failureMessages: ['Error: expected 1 to be 2\n    at sum.spec.ts:3:1\n- 2\n+ 1'] };
  expect(told([{ name: '/sum.spec.ts', status: 'failed', message: '', assertionResults: [passed, failed] }])).toEqual([
    'FAILED  /sum.spec.ts\n        sum adds up\n          Error: expected 1 to be 2\n          - 2\n          + 1',
  ]);
});

it('says why a file could not be loaded, and nothing of what went well', () => {
  const unloaded = { name: '/broken.spec.ts', status: 'failed', message: 'SyntaxError: no', assertionResults: [] };
  expect(told([unloaded, { name: '/sum.spec.ts', status: 'passed', message: '', assertionResults: [passed] }])).toEqual(['FAILED  /broken.spec.ts\n        (could not be loaded)\n          SyntaxError: no']);
});

it('has nothing to repeat when it did not come to any results', () => {
  expect(describeFailures(path.join(folder, 'missing.json'))).toEqual([]);
});
