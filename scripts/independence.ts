// npm run independence -- [seconds] [scenario …]: how long the events of quiet tenants take while something goes wrong elsewhere.
import path from 'node:path';
import { build } from './build.ts';
import { ended, onStopSignal, spawnProgram } from './children.ts';
import { fail, loadDotEnv, projectRoot } from './project.ts';
import { ensureNats, ensurePostgres } from './services.ts';

loadDotEnv();
if (!build()) process.exit(1);
try {
  const [postgres, nats] = [await ensurePostgres(), await ensureNats()];
  process.env = { ...process.env, TEST_POSTGRES_URL: postgres.url, TEST_NATS_URL: nats.url };
  const measuring = spawnProgram(process.execPath, [path.join(projectRoot, 'test', 'independence', 'measure.ts'), ...process.argv.slice(2)], 'inherit');
  onStopSignal(
    (signal) => measuring.kill(signal),
    () => measuring.kill('SIGKILL'),
  );
  const code = await ended(measuring);
  await nats.stop();
  await postgres.stop();
  process.exit(code);
} catch (error) {
  fail(error);
}
