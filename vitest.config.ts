import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const libs = fileURLToPath(new URL('./libs', import.meta.url));

/** nestjs-pino has one root logger per process, and ids never go back to an earlier time than the one before. */
const keepsState = ['libs/ops/src/ops.int.spec.ts', 'libs/messaging/src/host-clock.int.spec.ts'];

/** With clusters of their own, which takes a while: `npm test -- elsewhere` runs them, `npm test` does not. */
const elsewhere = ['test/elsewhere/*.spec.ts'];

/** What a run leaves out, as a JSON list: `--exclude` does not reach projects that exclude something themselves. */
const leftOut = JSON.parse(process.env['TEST_LEFT_OUT'] ?? '[]') as string[];

export default defineConfig({
  // Tests run the TypeScript of the libraries, so a test never passes on a stale build.
  resolve: { alias: [{ find: /^@nestbox\/([a-z]+)$/, replacement: `${libs}/$1/src/index.ts` }] },
  test: {
    pool: 'forks',
    // More than there may be processors: many tests wait, for a lease to run out or a process to start.
    maxWorkers: 3,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is to come true may take its time on a machine that is busy; no test asks how long.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      // They share what they load: to load Nest anew for each of them would take as long as the tests themselves.
      { extends: true, test: { name: 'shared', include: ['{src,libs}/**/*.{unit,int}.spec.ts'], exclude: [...keepsState, ...leftOut], isolate: false } },
      { extends: true, test: { name: 'alone', include: ['{test,scripts}/**/*.{unit,int,e2e}.spec.ts', ...keepsState], exclude: [...elsewhere, ...leftOut] } },
      { extends: true, test: { name: 'elsewhere', include: elsewhere, exclude: leftOut } },
    ],
  },
});
