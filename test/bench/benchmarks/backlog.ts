import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.js';
import type { Child } from '../child.js';
import { effectsPerSecond } from '../effects.js';
import { type Environment, withClient } from '../environment.js';
import { createDatabase, fillOutbox, resetSubscriber, thingNames } from '../outbox.js';

const OLD = 5_000_000;
const PENDING = 1_000_000;
const FEW = 10_000;
/** What a process has handled before its rate with few events counts: it is as warm as the other by then. */
const WARM_UP_EVENTS = 50_000;
const THINGS = 100;

export const backlog: Benchmark = {
  name: 'backlog',
  measures: 'events handled while a million wait and five million old ones are still there, and while only ten thousand wait',
  units: { rate: 'events/s', memory: 'x' },
  rounds: 3,
  comparisons: [
    { subject: 'many', reference: 'few', metric: 'rate', at: 'least', target: 0.9 },
    { subject: 'many', metric: 'memory', at: 'most', target: 1.3 },
  ],
  async prepare(environment) {
    const [many, few] = [await prepareMany(environment), await prepareFew(environment)];
    return { contestants: [{ name: 'many', round: many }, { name: 'few', round: few }] };
  },
};

async function prepareMany(environment: Environment) {
  const things = thingNames(THINGS);
  const [old, pending] = [environment.size(OLD, THINGS * 100), environment.size(PENDING, THINGS * 100)];
  const databaseUrl = await createDatabase(environment, things);
  await fillOutbox(environment, databaseUrl, things, old);
  const behindOld = await withClient(databaseUrl, async (client) => (await client.query('select lane, max(n) n from bench.log group by lane')).rows as { lane: number; n: string }[]);
  await fillOutbox(environment, databaseUrl, things, pending);
  return async () => {
    await resetSubscriber(databaseUrl);
    await withClient(databaseUrl, (client) =>
      client.query("insert into effects.cursor (reader, source, lane, gen, n) select 'effects', 'bench', l, 0, n from unnest($1::int[], $2::bigint[]) x(l, n)", [behindOld.map(({ lane }) => lane), behindOld.map(({ n }) => n)]),
    );
    await environment.settle();
    const app = environment.start('engine-process');
    await app.call('start', { databaseUrl, contexts: ['bench', 'effects'] });
    const watching = watchMemory(app, databaseUrl, pending);
    const rate = await effectsPerSecond(databaseUrl, { rows: pending, ordered: true, timeoutMs: 600_000 });
    const memory = await watching();
    await app.stop();
    return { rate, memory };
  };
}

async function prepareFew(environment: Environment) {
  const things = thingNames(THINGS);
  const [warmUp, pending] = [environment.size(WARM_UP_EVENTS, THINGS * 10), environment.size(FEW, THINGS * 10)];
  return async () => {
    const databaseUrl = await createDatabase(environment, things);
    await fillOutbox(environment, databaseUrl, things, warmUp + pending);
    await environment.settle();
    const app = environment.start('engine-process');
    await app.call('start', { databaseUrl, contexts: ['bench', 'effects'] });
    const rate = await effectsPerSecond(databaseUrl, { rows: warmUp + pending, ordered: true, warmUp: warmUp / (warmUp + pending) });
    await app.stop();
    return { rate, memory: 1 };
  };
}

/** The most memory that a process has used, in relation to what it used when it had done a fifth. */
function watchMemory(app: Child, databaseUrl: string, events: number): () => Promise<number> {
  const until = new AbortController();
  const result = withClient(databaseUrl, async (client) => {
    let [base, most] = [0, 0];
    while (!until.signal.aborted) {
      const { rows } = await client.query('select last_value::int from effects.effect_seq_seq');
      const memory = await app.call<number>('memory');
      if (rows[0].last_value >= events / 5) {
        base ||= memory;
        most = Math.max(most, memory);
      }
      await sleep(200);
    }
    return base === 0 ? 1 : most / base;
  });
  return () => {
    until.abort();
    return result;
  };
}
