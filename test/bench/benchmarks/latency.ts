import { setTimeout as sleep } from 'node:timers/promises';
import { type Benchmark, quantile } from '../benchmark.js';
import type { Environment } from '../environment.js';
import type { Moments } from '../engine-process.js';
import { createDatabase, thingNames } from '../outbox.js';

const THINGS = 1_000;
const PER_SECOND = 500;
const WARM_UP_SECONDS = 3;
const SECONDS = 8;
const PATIENCE_MS = 30_000;

/** Settings for latency: jobs are fetched as they come, by LISTEN/NOTIFY, without local queue. */
const GRAPHILE = { concurrency: 10, worker: {} };

export const latency: Benchmark = {
  name: 'latency',
  measures: `from the commit (as its caller learns of it) to the start of the handler, at ${PER_SECOND} commands/s`,
  units: { p50: 'ms', p99: 'ms' },
  rounds: 5,
  needsPeers: true,
  comparisons: [
    { subject: 'in-process', metric: 'p50', at: 'most', target: 1 },
    { subject: 'over NATS', metric: 'p50', at: 'most', target: 2 },
    { subject: 'in-process', reference: 'graphile-worker', metric: 'p50', at: 'most', target: 1 },
    { subject: 'in-process', reference: 'graphile-worker', metric: 'p99', at: 'most', target: 1 },
    { subject: 'over NATS', reference: 'graphile-worker', metric: 'p50', at: 'most', target: 2 },
  ],
  async prepare(environment) {
    const things = thingNames(THINGS);
    const seconds = Math.max(1, SECONDS * Math.min(1, environment.scale));
    const graphileUrl = await environment.createDatabase();
    const first = environment.start('peers/graphile-worker');
    await first.call('prepare', { databaseUrl: graphileUrl, jobs: 0, note: '' });
    await first.stop();
    return {
      contestants: [
        { name: 'in-process', round: () => engineRound(environment, things, seconds, false) },
        { name: 'over NATS', round: () => engineRound(environment, things, seconds, true) },
        {
          name: 'graphile-worker',
          round: async () => {
            await environment.settle();
            const worker = environment.start('peers/graphile-worker');
            const found = await worker.call<number[]>('latencies', { databaseUrl: graphileUrl, ...GRAPHILE, things, perSecond: PER_SECOND, seconds, warmUpSeconds: WARM_UP_SECONDS });
            await worker.stop();
            return summary(found);
          },
        },
      ],
    };
  },
};

/** In one process; or in two, the publisher and the subscriber, with NATS in between. */
async function engineRound(environment: Environment, things: readonly string[], seconds: number, overNats: boolean) {
  const databaseUrl = await createDatabase(environment, things);
  const nats = overNats ? { nats: { url: environment.natsUrl, namespace: environment.createNamespace() } } : {};
  const publisher = environment.start('engine-process');
  await publisher.call('start', { databaseUrl, contexts: overNats ? ['bench'] : ['bench', 'effects'], ...nats });
  const subscriber = overNats ? environment.start('engine-process') : publisher;
  if (overNats) await subscriber.call('start', { databaseUrl, contexts: ['effects'], ...nats });
  await subscriber.call('record');
  await environment.settle();
  const send = (forSeconds: number) => publisher.call<Moments>('steadily', { things, perSecond: PER_SECOND, seconds: forSeconds });
  await send(WARM_UP_SECONDS);
  const commits = await send(seconds);
  const patience = performance.now() + PATIENCE_MS;
  let starts: Moments;
  do {
    await sleep(200);
    starts = await subscriber.call<Moments>('starts');
  } while ([...commits.keys()].some((event) => !starts.has(event)) && performance.now() < patience);
  await subscriber.stop();
  if (overNats) await publisher.stop();
  const missing = [...commits.keys()].filter((event) => !starts.has(event));
  if (missing.length > 0) throw new Error(`${missing.length} of ${commits.size} events were not handled.`);
  if (commits.size !== PER_SECOND * seconds) throw new Error(`${commits.size} instead of ${PER_SECOND * seconds} commands were committed.`);
  return summary([...commits].map(([event, at]) => Number(starts.get(event)! - at) / 1e6));
}

function summary(latencies: readonly number[]) {
  const sorted = latencies.toSorted((left, right) => left - right);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}
