// npm start: builds if needed, starts the embedded Postgres unless DATABASE_URL names another, runs the application.
import path from 'node:path';
import { build } from './build.ts';
import { ended, onStopSignal, spawnApplication } from './children.ts';
import { withOwnSecrets } from './own-secrets.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import { fail, isSet, loadDotEnv, projectRoot } from './project.ts';

let stopping = false;
let app: ReturnType<typeof spawnApplication> | undefined;
onStopSignal(
  (signal) => {
    stopping = true;
    app?.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  },
  () => app?.kill('SIGKILL'),
);

loadDotEnv();
if (!build()) process.exit(1);

const env = withOwnSecrets(process.env);
const postgres = isSet(env, 'DATABASE_URL') || stopping ? undefined : await startEmbeddedPostgres(path.join(projectRoot, '.data', 'postgres')).catch(fail);
if (postgres) {
  env['DATABASE_URL'] = postgres.url;
  if (!postgres.dataDir.startsWith(projectRoot)) console.log(`The data is in ${postgres.dataDir}: the account of Postgres may not enter this folder.`);
}
let code = 0;
if (!stopping) {
  app = spawnApplication(env, 'inherit');
  code = await ended(app);
}
await postgres?.stop();
process.exit(code);
