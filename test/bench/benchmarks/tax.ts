import type { Benchmark } from '../benchmark.js';
import { withClient } from '../environment.js';
import { createDatabase, thingNames } from '../outbox.js';

const THINGS = 1_000;
const CLIENTS = 16;
const WARM_UP_SECONDS = 2;
const SECONDS = 6;

export const tax: Benchmark = {
  name: 'tax',
  measures: `commands that load and change one aggregate, ${CLIENTS} callers, one process: with one event each, and with none`,
  units: { rate: 'commands/s' },
  rounds: 7,
  comparisons: [{ subject: 'one event', reference: 'no event', metric: 'rate', at: 'least', target: 0.85 }],
  async prepare(environment) {
    const things = thingNames(THINGS);
    const contestant = async (name: string, announced: boolean) => {
      const databaseUrl = await createDatabase(environment, things);
      return {
        name,
        round: async () => {
          const before = await count(databaseUrl);
          await environment.settle();
          const app = environment.start('engine-process');
          await app.call('start', { databaseUrl, contexts: ['bench'] });
          const run = (seconds: number) => app.call<number>('commands', { things, announced, clients: CLIENTS, seconds: seconds * Math.min(1, environment.scale) });
          const warmed = await run(WARM_UP_SECONDS);
          const started = performance.now();
          const done = await run(SECONDS);
          const rate = done / ((performance.now() - started) / 1_000);
          await app.stop();
          const after = await count(databaseUrl);
          const events = announced ? warmed + done : 0;
          if (after.changes - before.changes !== warmed + done) throw new Error(`${warmed + done} commands have made ${after.changes - before.changes} changes.`);
          if (after.events - before.events !== events) throw new Error(`${warmed + done} commands have stored ${after.events - before.events} events instead of ${events}.`);
          return { rate };
        },
      };
    };
    return { contestants: [await contestant('one event', true), await contestant('no event', false)] };
  },
};

async function count(url: string): Promise<{ changes: number; events: number }> {
  const { rows } = await withClient(url, (client) => client.query('select sum(version)::int changes, (select count(*)::int from bench.outbox) events from bench.thing'));
  return rows[0];
}
