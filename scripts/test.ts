import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.ts';
import { onStopSignal } from './children.ts';
import { fail, loadDotEnv, projectRoot } from './project.ts';
import { ensureNats, ensurePostgres, type Service } from './services.ts';
import { describeFailures } from './test-failures.ts';

/** `npm test`: everything that CI runs. Arguments go to Vitest: `npm test -- orders` runs only what matches, `npm test -- elsewhere` what is left out here. */
const args = process.argv.slice(2);
const results = path.join(projectRoot, 'node_modules', '.cache', 'tests.json');
const bin = (name: string) => path.join(projectRoot, 'node_modules', '.bin', name);

const steps: [name: string, program: string, args: string[]][] = [
  ['lint', bin('oxlint'), ['--deny-warnings']],
  ['types', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['architecture', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src', 'libs']],
  ['contracts', process.execPath, ['scripts/contracts.ts']],
  ['docs', process.execPath, ['scripts/docs.ts', '--check']],
  // A few that use all of the engine; all of them: npm run test:pgbouncer.
  ['pgbouncer', process.execPath, ['scripts/test-pgbouncer.ts', 'engine.int', 'sequencer.int', 'partitions.int', 'unit-of-work.int']],
  ['tests', bin('vitest'), ['run', '--reporter=default', '--reporter=json', `--outputFile=${results}`, ...(args.length > 0 ? args : ['--project=!elsewhere'])]],
];

const services: Service[] = [];
let running: ChildProcess | undefined;
onStopSignal(
  () => void stop().then(() => process.exit(130)),
  () => process.exit(130),
);

const report: string[] = [];
let failed = false;
try {
  loadDotEnv();
  rmSync(results, { force: true });
  const started = performance.now();
  note('build', started, build());
  if (!failed) {
    const [postgres, nats] = [await use(ensurePostgres()), await use(ensureNats())];
    console.log(`Postgres: ${postgres.origin}. NATS: ${nats.origin}.`);
    // A test names its own databases; those of the person who runs it are out of its reach.
    const { DATABASE_URL: _database, NATS_URL: _nats, ...inherited } = process.env;
    const env = {
      // Hundreds of processes are started, most of them with the same code.
      NODE_COMPILE_CACHE: path.join(projectRoot, 'node_modules', '.cache', 'compiled'),
      ...inherited, TEST_POSTGRES_URL: postgres.url, TEST_NATS_URL: nats.url,
    };
    for (const [name, program, programArgs] of args.length > 0 ? steps.slice(-1) : steps) {
      const started = performance.now();
      const code = await run(program, programArgs, env);
      note(name, started, code === 0);
      if (name === 'tests' && code !== 0) report.push(...describeFailures(results));
    }
  }
} catch (error) {
  await stop();
  fail(error);
}
await stop();
console.log(`\n${report.join('\n')}`);
process.exit(failed ? 1 : 0);

function note(name: string, started: number, ok: boolean): void {
  failed ||= !ok;
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  report.push(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(14)}${seconds.padStart(8)}`);
}

async function use(starting: Promise<Service>): Promise<Service> {
  const service = await starting;
  services.push(service);
  return service;
}

function run(program: string, programArgs: string[], env: NodeJS.ProcessEnv): Promise<number | null> {
  console.log(`\n> ${path.basename(program)} ${programArgs.join(' ')}`);
  return new Promise((resolve) => {
    running = spawn(program, programArgs, { cwd: projectRoot, env, stdio: ['ignore', 'inherit', 'inherit'] });
    running.once('error', () => resolve(1));
    running.once('exit', resolve);
  });
}

async function stop(): Promise<void> {
  if (running && running.exitCode === null) running.kill('SIGTERM');
  for (const service of services.splice(0)) await service.stop();
}
