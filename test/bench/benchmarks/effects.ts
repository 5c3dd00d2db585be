import type { Benchmark } from '../benchmark.js';
import { NOTE } from '../contexts.js';
import { effectsPerSecond } from '../effects.js';
import type { Environment } from '../environment.js';
import { createDatabase, fillOutbox, resetSubscriber, thingNames } from '../outbox.js';
import { fillStream } from '../stream.js';

const EVENTS = 100_000;
const JOBS = 40_000;
const THINGS = 100;

/** For throughput, after its documentation: many at a time, taken from a local queue, completed at once. */
const GRAPHILE = { concurrency: 24, worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } };

export const effects: Benchmark = {
  name: 'effects',
  measures: 'events handled, each with one insert of its handler, exactly once and in order, by one process',
  units: { rate: 'events/s' },
  rounds: 5,
  needsPeers: true,
  comparisons: [
    { subject: 'from the outbox', reference: 'graphile-worker', metric: 'rate', at: 'least', target: 2 },
    { subject: 'from JetStream', reference: 'graphile-worker', metric: 'rate', at: 'least', target: 2 },
  ],
  async prepare(environment) {
    const things = thingNames(THINGS);
    const events = environment.size(EVENTS, THINGS * 10);
    const url = await createDatabase(environment, things);
    await fillOutbox(environment, url, things, events);
    const nats = { url: environment.natsUrl, namespace: environment.createNamespace() };
    await fillStream(environment, url, nats, events);
    const drain = async (start: object) => {
      await resetSubscriber(url);
      await environment.settle();
      const app = environment.start('engine-process');
      await app.call('start', { databaseUrl: url, ...start });
      const rate = await effectsPerSecond(url, { rows: events, ordered: true });
      await app.stop();
      return { rate };
    };
    return {
      contestants: [
        { name: 'from the outbox', round: () => drain({ contexts: ['bench', 'effects'] }) },
        { name: 'from JetStream', round: () => drain({ contexts: ['effects'], nats }) },
        { name: 'graphile-worker', round: () => graphileRound(environment) },
      ],
    };
  },
};

async function graphileRound(environment: Environment) {
  const databaseUrl = await environment.createDatabase();
  const jobs = environment.size(JOBS);
  const worker = environment.start('peers/graphile-worker');
  await worker.call('prepare', { databaseUrl, jobs, note: NOTE });
  await environment.settle();
  await worker.call('effects', { databaseUrl, ...GRAPHILE });
  const rate = await effectsPerSecond(databaseUrl, { rows: jobs, ordered: false });
  await worker.stop();
  return { rate };
}
