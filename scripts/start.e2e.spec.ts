import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { build } from './build.ts';
import { ended } from './children.ts';
import { projectRoot } from './project.ts';
import { childrenOf, isRunning } from './test-support.ts';

let database: TestDatabase;
const started: ChildProcess[] = [];

beforeAll(async () => {
  expect(build()).toBe(true);
  database = await createTestDatabase();
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => database.drop());

/** `npm start` without npm: the script, with its output. */
function start(env: Record<string, string>): { child: ChildProcess; output: string[] } {
  const output: string[] = [];
  const child = spawn(process.execPath, [path.join(projectRoot, 'scripts', 'start.ts')], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...database.env, PORT: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => output.push(...chunk.toString().split('\n').filter(Boolean)));
  return { child, output };
}

async function ready(output: string[]): Promise<void> {
  await vi.waitFor(() => expect(output.join('\n')).toContain('is ready'), { timeout: 30_000, interval: 20 });
}

test('it shows a token that opens /admin; SIGTERM ends the application in order, and nothing is left', async () => {
  const { child, output } = start({});
  await ready(output);
  const [app] = childrenOf(child.pid!);
  const shown = /Operations +curl (\S+) -H "authorization: (Bearer \S+)"/.exec(output.join('\n'));
  // A token that was made for this start, and opens what nobody else can.
  expect((await fetch(shown![1]!, { headers: { authorization: shown![2]! } })).status).toBe(200);
  expect((await fetch(shown![1]!)).status).toBe(401);
  child.kill('SIGTERM');
  expect(await ended(child)).toBe(0);
  expect(isRunning(app!)).toBe(false);
});

test('the application does not outlive a script that was killed', async () => {
  const { child, output } = start({});
  await ready(output);
  const [app] = childrenOf(child.pid!);
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(isRunning(app!)).toBe(false), { timeout: 20_000, interval: 20 });
});

test('a port in use, and a database that is not there, end it with one line and a code', async () => {
  const taken = createServer().listen(0, '0.0.0.0');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const wrong = new URL(database.url);
  wrong.pathname = '/nbtest_nowhere';
  const cases: { env: Record<string, string>; says: string }[] = [
    { env: { PORT: String(port) }, says: `Port ${port} is in use` },
    { env: { DATABASE_URL: wrong.href }, says: 'The database does not exist' },
    { env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, says: 'The database cannot be reached' },
  ];
  try {
    for (const { env, says } of cases) {
      const { child, output } = start(env);
      expect(await ended(child)).toBe(1);
      expect(output).toEqual([expect.stringContaining(says)]);
    }
  } finally {
    taken.close();
  }
});
