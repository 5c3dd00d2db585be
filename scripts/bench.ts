// npm run bench -- <name> …: measures the engine and what it is compared with, in turns, on a real Postgres and NATS.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.ts';
import { ended, onStopSignal, spawnProgram } from './children.ts';
import { fail, loadDotEnv, projectRoot } from './project.ts';
import { ensureNats, ensurePostgres } from './services.ts';

const folder = path.join(projectRoot, 'test', 'bench');

loadDotEnv();
if (!build()) process.exit(1);
try {
  installPeers();
  compile();
  const [postgres, nats] = [await ensurePostgres(), await ensureNats()];
  const env = { ...process.env, TEST_POSTGRES_URL: postgres.url, TEST_NATS_URL: nats.url };
  process.env = env;
  const bench = spawnProgram(process.execPath, [path.join(folder, 'dist', 'main.js'), ...process.argv.slice(2)], 'inherit');
  onStopSignal(
    (signal) => bench.kill(signal),
    () => bench.kill('SIGKILL'),
  );
  const code = await ended(bench);
  await nats.stop();
  await postgres.stop();
  process.exit(code);
} catch (error) {
  fail(error);
}

/** What the benchmarks compare with is no part of the template: it comes when it is first needed. */
function installPeers(): void {
  const installed = path.join(folder, 'node_modules', '.package-lock.json');
  const names = Object.keys((JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { dependencies: object }).dependencies);
  if (existsSync(installed) && names.every((name) => existsSync(path.join(folder, 'node_modules', name)))) return;
  console.error(`Installing ${names.join(' and ')} …`);
  const run = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (run.status !== 0) throw new Error('The packages that the benchmarks compare with could not be installed: see above.');
}

function compile(): void {
  const compiler = path.join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [compiler, '-b', folder], { cwd: projectRoot, stdio: ['ignore', 2, 'inherit'] });
  if (run.status !== 0) throw new Error('The benchmarks do not compile: see above.');
}
