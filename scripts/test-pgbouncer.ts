import { spawn } from 'node:child_process';
import path from 'node:path';
import { onStopSignal, ended, stopChild } from './children.ts';
import { startPgbouncer } from './pgbouncer.ts';
import { fail, projectRoot } from './project.ts';
import { ensureNats, ensurePostgres, type Service } from './services.ts';

/**
 * `npm run test:pgbouncer`: the integration tests through pgbouncer in transaction mode, where one connection meets many
 * server processes. Arguments go to Vitest: `npm run test:pgbouncer -- sequencer` runs only what matches.
 */
const args = process.argv.slice(2);

/** What looks at the server itself, starts its own, or has nothing to do with a database. */
const LEFT_OUT = [
  ['src/core/application.int.spec.ts', 'shows how the messages of the server itself are explained'],
  ['libs/persistence/src/embedded-postgres.int.spec.ts', 'starts servers of its own'],
  ['libs/persistence/src/unavailable.int.spec.ts', 'uses up the connections of the server'],
  ['libs/persistence/src/lost-commits.int.spec.ts', 'asks for the server process of a lost connection, as the next one does'],
  ['libs/messaging/src/lost-answers.int.spec.ts', 'asks for the server process of a lost connection; behind a pooler nobody knows it, and the outcome stays unknown'],
  ['{scripts,test}/**', 'starts services of its own, or needs no database'],
] as const;

const services: Service[] = [];
const stop = async () => {
  for (const service of services.splice(0).toReversed()) await service.stop();
};

try {
  services.push(await ensurePostgres());
  services.push(await ensureNats());
  const [postgres, nats] = services as [Service, Service];
  const pgbouncer = await startPgbouncer(postgres.url);
  services.push(pgbouncer);
  const env = { ...process.env, TEST_POSTGRES_URL: pgbouncer.url, TEST_NATS_URL: nats.url, TEST_LEFT_OUT: JSON.stringify(LEFT_OUT.map(([pattern]) => pattern)) };
  const filters = args.length > 0 ? args : ['.int.spec'];
  const vitest = spawn(path.join(projectRoot, 'node_modules', '.bin', 'vitest'), ['run', ...filters], { cwd: projectRoot, env, stdio: ['ignore', 'inherit', 'inherit'] });
  onStopSignal(
    () => void stopChild(vitest),
    () => process.exit(130),
  );
  const code = await ended(vitest);
  await stop();
  process.exit(code);
} catch (error) {
  await stop();
  fail(error);
}
