import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '../application.js';
import { type Benchmark, type Measurement, rounded } from '../benchmark.js';
import type { Child } from '../child.js';
import { type Environment, withClient } from '../environment.js';
import type { LoadResult } from '../load.js';
import { requireOn } from '../machine.js';
import { countOrders, createApplicationDatabase, drained, expectAllRight, expectStored, orderRequests, targetOf } from '../orders.js';
import { plot } from '../plot.js';
import { measureSizes } from '../sizes.js';
import { type Point, TOLERATED_GROWTH, trendOf } from '../trend.js';

const SHARE_OF_PEAK = 0.6;
const CALIBRATION_WARM_UP = 5_000;
const CALIBRATION = 5_000;
const SAMPLE_EVERY_MS = 5_000;
const MIB = 2 ** 20;

/** What is sampled; `orders` is what was asked for and therefore no matter of a target. */
const SERIES: Readonly<Record<string, string>> = {
  orders: '/s', p50: 'ms', p99: 'ms', 'resident memory': 'MiB', 'event loop delay, p99': 'ms', 'open files': '', 'active resources': '',
  outbox: 'B/event', log: 'B/event', 'ordering.orders': 'B/order', 'inventory.reservations': 'B/order', 'billing.charges': 'B/order',
  'inventory.products': 'MiB', 'billing.accounts': 'MiB', 'reporting.sales': 'MiB', cursor: 'MiB', sequencer: 'MiB', 'other tables of the engine': 'MiB',
};
type Sample = Readonly<Record<string, number>>;

export const soak: Benchmark = {
  name: 'soak',
  measures: `what changes in the second half of a long run at ${SHARE_OF_PEAK * 100} % of the peak, as a share of the mean there; 0: nothing that chance would not do`,
  units: {},
  rounds: 1,
  needsPeers: true,
  onlyByName: true,
  comparisons: Object.keys(SERIES).filter((name) => name !== 'orders').map((metric) => ({ subject: 'application', metric, at: 'most', target: TOLERATED_GROWTH })),
  async prepare(environment) {
    await withClient(environment.postgresUrl, (client) => requireOn(client, 'autovacuum', 'every table grows that is updated, whoever updates it'));
    const load = environment.start('load');
    return { contestants: [{ name: 'application', round: () => round(environment, load) }], close: () => load.stop() };
  },
};

async function round(environment: Environment, load: Child): Promise<Measurement> {
  const databaseUrl = await createApplicationDatabase(environment, { stocked: true });
  const application = await environment.startApplication({ databaseUrl });
  const perSecond = SHARE_OF_PEAK * (await calibrate(environment, load, application, databaseUrl));
  say(`${rounded(perSecond)} orders/s for ${environment.minutes} minutes, a sample every ${SAMPLE_EVERY_MS / 1_000} s`);
  const before = await countOrders(databaseUrl);
  const target = targetOf(application, orderRequests(), 201);
  const finished = new AbortController();
  const sending = load.call<number>('open', { ...target, perSecond, seconds: environment.minutes * 60 }).finally(() => finished.abort());
  const [sent, samples] = await Promise.all([sending, collect(load, application, databaseUrl, finished.signal)]);
  const growths = conclude(environment.plotFile('soak'), perSecond, samples);
  for (const { answers, wrong } of samples.map(({ result }) => result)) expectAllRight({ answers: Math.max(1, answers), wrong });
  await drained(databaseUrl);
  await application.stop();
  await expectStored(databaseUrl, before, sent);
  return growths;
}

/** Orders per second that get through, what follows from them included. */
async function calibrate(environment: Environment, load: Child, application: Application, databaseUrl: string): Promise<number> {
  const send = async (limit: number) => {
    const begun = performance.now();
    expectAllRight(await load.call<LoadResult>('closed', { ...targetOf(application, orderRequests(), 201), limit }));
    await drained(databaseUrl);
    return limit / ((performance.now() - begun) / 1_000);
  };
  await send(environment.size(CALIBRATION_WARM_UP));
  return send(environment.size(CALIBRATION));
}

interface Sampled {
  /** Minutes since the begin. */
  readonly at: number;
  readonly values: Sample;
  readonly result: LoadResult;
}

async function collect(load: Child, application: Application, databaseUrl: string, until: AbortSignal): Promise<Sampled[]> {
  const [samples, begun]: [Sampled[], number] = [[], performance.now()];
  await withClient(databaseUrl, async (client) => {
    await application.metrics(); // What it measures between two looks begins with one.
    for (;;) {
      await sleep(SAMPLE_EVERY_MS, undefined, { signal: until }).catch(() => undefined);
      const result = await load.call<LoadResult>('window');
      const [metrics, sizes] = [await application.metrics(), await measureSizes(client)];
      const whole = Object.entries(sizes.whole).map(([name, bytes]): [string, number] => [name, bytes / MIB]);
      const values = {
        orders: result.answers / result.seconds, p50: result.p50, p99: result.p99,
        'resident memory': metrics.get('process_resident_memory_bytes')! / MIB, 'event loop delay, p99': metrics.get('nodejs_eventloop_lag_p99_seconds')! * 1_000,
        'open files': metrics.get('process_open_fds') ?? 0, 'active resources': metrics.get('nodejs_active_resources_total')!,
        ...sizes.perEvent, ...sizes.perRow, ...Object.fromEntries(whole),
      };
      // The last window is cut short, and would show fewer orders.
      if (!until.aborted || samples.length === 0) samples.push({ at: (performance.now() - begun) / 60_000, values, result });
      else if (Object.keys(result.wrong).length > 0) expectAllRight(result);
      if (until.aborted) return;
    }
  });
  return samples;
}

/** Says of each series what becomes of it, draws them all, and answers with how much each has grown. */
function conclude(file: string, perSecond: number, samples: readonly Sampled[]): Measurement {
  const series = Object.entries(SERIES).map(([name, unit]) => {
    const points = samples.map(({ at, values }): Point => ({ at, value: values[name]! }));
    const { mean, growth, verdict } = trendOf(points);
    return { name, unit, points, growth, remark: `${verdict}, ${[rounded(mean), unit].join(' ').trim()} on average, ${(growth * 100).toFixed(1)} % in the second half` };
  });
  for (const { name, remark } of series) say(`${name}: ${remark}`);
  writeFileSync(file, plot(`${rounded(perSecond)} orders/s: ${samples.length} samples`, series));
  say(`plot: ${file}`);
  return Object.fromEntries(series.map(({ name, growth }) => [name, growth]));
}

function say(line: string): void {
  process.stderr.write(`  ${line}\n`);
}
