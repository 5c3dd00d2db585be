// npm run start:dev: like npm start, but compiles and restarts at every change.
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build, removeOrphans } from './build.ts';
import { ended, hasEnded, onStopSignal, spawnApplication, spawnProgram, stopChild } from './children.ts';
import { withOwnSecrets } from './own-secrets.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import { fail, isSet, loadDotEnv, projectRoot } from './project.ts';

let app: ReturnType<typeof spawnApplication> | undefined;
let stopping = false;
let restarting = Promise.resolve();

loadDotEnv();
// The first start needs the library of the embedded Postgres; errors elsewhere are the watching compiler's to report.
build();
const env = withOwnSecrets(process.env);
const postgres = isSet(env, 'DATABASE_URL') ? undefined : await startEmbeddedPostgres(path.join(projectRoot, '.data', 'postgres')).catch(fail);
if (postgres) env['DATABASE_URL'] = postgres.url;

const compiler = spawnProgram(
  process.execPath,
  [path.join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', path.join(projectRoot, 'tsconfig.build.json'), '--watch', '--preserveWatchOutput'],
  'pipe',
);

async function restart(): Promise<void> {
  const previous = app;
  app = undefined;
  if (previous) await stopChild(previous, 5_000);
  if (stopping) return;
  removeOrphans();
  const current = spawnApplication(env, 'inherit');
  app = current;
  void ended(current).then((code) => {
    if (!stopping && app === current && code !== 0) console.log(`The application ended with code ${code}; it starts again after the next change.`);
  });
}

for await (const line of watchCompiler()) {
  // The compiler's own words for "nothing to do any more": the only line that counts the errors.
  const found = /Found (\d+) errors?\. Watching/.exec(line)?.[1];
  if (found === undefined && /\S/.test(line) && !/Starting compilation|File change detected/.test(line)) console.log(line);
  if (found === '0') restarting = restarting.then(restart);
  if (found !== undefined && found !== '0') console.log(`${found} errors: the application keeps running as it was.`);
}
await restarting;
if (app && !hasEnded(app)) await stopChild(app);
await postgres?.stop();
process.exit(stopping ? 0 : 1);

function watchCompiler() {
  onStopSignal(
    () => {
      stopping = true;
      compiler.kill('SIGKILL');
    },
    () => app?.kill('SIGKILL'),
  );
  return createInterface({ input: compiler.stdout! });
}
