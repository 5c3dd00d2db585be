import { existsSync, readFileSync } from 'node:fs';

/** How many lines of a failure are repeated: what was expected and seen, not where. */
const LINES = 6;

interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly failureMessages: readonly string[];
}

interface Results {
  readonly testResults: readonly { readonly name: string; readonly status: string; readonly message: string; readonly assertionResults: readonly Assertion[] }[];
}

/**
 * Every failed test with its reason in a few lines. Many a CI shows the end of the output only, and a failure that came
 * once in a hundred runs must not have scrolled away.
 * @param file what Vitest's JSON reporter has written, if it came to that
 */
export function describeFailures(file: string): string[] {
  if (!existsSync(file)) return [];
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as Results;
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed');
    if (failed.length === 0) return status === 'failed' ? [describe(name, '(could not be loaded)', message)] : [];
    return failed.map(({ fullName, failureMessages }) => describe(name, fullName, failureMessages.join('\n')));
  });
}

function describe(file: string, title: string, message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() && !/^\s+at /.test(line));
  return [`FAILED  ${file}`, `        ${title}`, ...lines.slice(0, LINES).map((line) => `          ${line}`)].join('\n');
}
