import { execFile } from 'node:child_process';
import { bareEnvironment } from '../../scripts/children.ts';
import { projectRoot } from '../../scripts/project.ts';
import type { DemoResult } from '../../scripts/demo/report.ts';

export interface DemoRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON object of the last line; undefined when there is none. */
  readonly result: DemoResult | undefined;
}

/** Runs `npm run demo -- --json …` as a process of its own, without npm. */
export function runDemo(args: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<DemoRun> {
  const env = { ...bareEnvironment(), ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/demo/main.ts', '--json', ...args], { cwd: projectRoot, env }, (error, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      const result = last.startsWith('{') ? (JSON.parse(last) as DemoResult) : undefined;
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr, result });
    });
  });
}
