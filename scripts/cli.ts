// npm run cli -- …: the command line, on the databases of the environment or on those of `npm start`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build } from './build.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import { fail, isSet, loadDotEnv, projectRoot } from './project.ts';

loadDotEnv();
if (!build()) process.exit(1);

// The running server of `npm start` is joined; without one it is started for this command alone. Settings are told as they are.
const hasDatabase = isSet(process.env, 'DATABASE_URL') || process.argv[2] === 'config';
const postgres = hasDatabase ? undefined : await startEmbeddedPostgres(path.join(projectRoot, '.data', 'postgres')).catch(fail);
const env = { ...process.env, ...(postgres && { DATABASE_URL: postgres.url }) };
const run = spawnSync(process.execPath, [path.join(projectRoot, 'dist', 'cli.js'), ...process.argv.slice(2)], { stdio: 'inherit', env });
await postgres?.stop();
process.exit(run.status ?? 1);
