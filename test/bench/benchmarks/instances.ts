import type { Benchmark } from '../benchmark.js';
import { effectsPerSecond } from '../effects.js';
import { createDatabase, fillOutbox, resetSubscriber, thingNames } from '../outbox.js';

const EVENTS = 300_000;
const THINGS = 100;
/** Long enough for all instances to be up and to have their share of the lanes. */
const WARM_UP = 0.4;

export const instances: Benchmark = {
  name: 'instances',
  measures: 'events handled by all instances of the same service together, on the same cores',
  units: { rate: 'events/s' },
  rounds: 3,
  comparisons: [{ subject: '3 instances', reference: '1 instance', metric: 'rate', at: 'least', target: 0.9 }],
  async prepare(environment) {
    const things = thingNames(THINGS);
    const events = environment.size(EVENTS, THINGS * 100);
    const databaseUrl = await createDatabase(environment, things);
    await fillOutbox(environment, databaseUrl, things, events);
    const round = async (count: number) => {
      await resetSubscriber(databaseUrl);
      await environment.settle();
      const apps = Array.from({ length: count }, () => environment.start('engine-process'));
      await Promise.all(apps.map((app) => app.call('start', { databaseUrl, contexts: ['bench', 'effects'] })));
      const rate = await effectsPerSecond(databaseUrl, { rows: events, ordered: true, warmUp: WARM_UP });
      await Promise.all(apps.map((app) => app.stop()));
      return { rate };
    };
    return {
      contestants: [
        { name: '3 instances', round: () => round(3) },
        { name: '1 instance', round: () => round(1) },
      ],
    };
  },
};
