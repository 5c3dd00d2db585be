import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.js';
import type { Environment } from '../environment.js';
import { createDatabase, thingNames } from '../outbox.js';
import { StatementCounter } from '../statement-counter.js';

const CALM_SECONDS = 5;
const SECONDS = 20;

export const idle: Benchmark = {
  name: 'idle',
  measures: 'SQL statements of one process with two contexts that has nothing to do',
  units: { statements: '/s' },
  rounds: 3,
  comparisons: [
    { subject: 'in-process', metric: 'statements', at: 'most', target: 1 },
    { subject: 'with NATS', metric: 'statements', at: 'most', target: 1 },
  ],
  async prepare(environment) {
    const databaseUrl = await createDatabase(environment, thingNames(10));
    const nats = { url: environment.natsUrl, namespace: environment.createNamespace() };
    return {
      contestants: [
        { name: 'in-process', round: () => count(environment, databaseUrl, {}) },
        { name: 'with NATS', round: () => count(environment, databaseUrl, { nats }) },
      ],
    };
  },
};

async function count(environment: Environment, databaseUrl: string, options: object) {
  const counter = await StatementCounter.start(databaseUrl);
  const app = environment.start('engine-process');
  await app.call('start', { databaseUrl: counter.url, contexts: ['bench', 'effects'], ...options });
  await sleep(CALM_SECONDS * 1_000);
  const [before, started] = [counter.count, performance.now()];
  await sleep(Math.max(2, SECONDS * Math.min(1, environment.scale)) * 1_000);
  const statements = (counter.count - before) / ((performance.now() - started) / 1_000);
  await app.stop();
  counter.stop();
  if (before === 0) throw new Error('Not even the start of the process has sent a statement: the counter does not count.');
  return { statements };
}
