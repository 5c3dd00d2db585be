import { setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '../application.js';
import { type Benchmark, type Measurement, quantile } from '../benchmark.js';
import type { Child } from '../child.js';
import type { Environment } from '../environment.js';
import type { LoadResult } from '../load.js';
import { countOrders, createApplicationDatabase, drained, expectAllRight, expectStored, orderRequests, targetOf } from '../orders.js';

const COMMANDS = 100_000;
const STEPS = 5;
/** Samples of a pause, and the time between two of them. */
const SAMPLES = 7;
const SAMPLE_EVERY_MS = 500;
const MIB = 2 ** 20;

export const memory: Benchmark = {
  name: 'memory',
  measures: `resident memory after the start and after ${COMMANDS.toLocaleString('en')} orders, their events handled in the same process`,
  units: { start: 'MiB', 'after 20 %': 'MiB', 'after 40 %': 'MiB', 'after 60 %': 'MiB', 'after 80 %': 'MiB', 'after 100 %': 'MiB', growth: 'x' },
  rounds: 1,
  needsPeers: true,
  comparisons: [{ subject: 'application', metric: 'growth', at: 'most', target: 1.1 }],
  async prepare(environment) {
    const load = environment.start('load');
    return { contestants: [{ name: 'application', round: () => round(environment, load) }], close: () => load.stop() };
  },
};

async function round(environment: Environment, load: Child): Promise<Measurement> {
  const databaseUrl = await createApplicationDatabase(environment, { stocked: true });
  const before = await countOrders(databaseUrl);
  const application = await environment.startApplication({ databaseUrl });
  const seen: Record<string, number> = { start: await idle(application) };
  const step = environment.size(COMMANDS / STEPS);
  for (let done = 1; done <= STEPS; done++) {
    const result = await load.call<LoadResult>('closed', { ...targetOf(application, orderRequests(), 201), limit: step });
    expectAllRight(result);
    await drained(databaseUrl);
    seen[`after ${(done / STEPS) * 100} %`] = await idle(application);
  }
  await application.stop();
  await expectStored(databaseUrl, before, step * STEPS);
  return { ...seen, growth: seen['after 100 %']! / seen['after 20 %']! };
}

/** What it holds while it has nothing to do, in MiB: the middle of several samples. */
async function idle(application: Application): Promise<number> {
  const samples: number[] = [];
  while (samples.length < SAMPLES) {
    await sleep(SAMPLE_EVERY_MS);
    samples.push((await application.usage()).rss / MIB);
  }
  return quantile(samples.toSorted((left, right) => left - right), 0.5);
}
