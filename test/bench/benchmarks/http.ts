import type { Server, Usage } from '../application.js';
import type { Benchmark, Measurement } from '../benchmark.js';
import type { Child } from '../child.js';
import type { Environment } from '../environment.js';
import type { LoadResult } from '../load.js';
import { CONNECTIONS, countOrders, createApplicationDatabase, drained, expectAllRight, expectStored, orderRequests, targetOf } from '../orders.js';

const WARM_UP_SECONDS = 5;
const SECONDS = 10;

export const http: Benchmark = {
  name: 'http',
  measures: `orders of four lines placed over HTTP by ${CONNECTIONS} callers, each stored with its event`,
  units: { rate: 'orders/s', p50: 'ms', p99: 'ms', cpu: 'µs/order', behind: 's' },
  rounds: 3,
  needsPeers: true,
  comparisons: [
    { subject: 'commands alone', reference: 'Fastify and pg by hand', metric: 'rate', at: 'least', target: 1.3 },
    { subject: 'commands alone', reference: 'Nest and TypeORM', metric: 'rate', at: 'least', target: 4 },
  ],
  async prepare(environment) {
    const nats = { natsUrl: environment.natsUrl, namespace: environment.createNamespace() };
    const [alone, together, byHand, typeorm] = [await createApplicationDatabase(environment), await createApplicationDatabase(environment, { stocked: true }), await createApplicationDatabase(environment), await createApplicationDatabase(environment)];
    const load = environment.start('load');
    return {
      contestants: [
        { name: 'commands alone', round: () => round(environment, load, alone, () => environment.startApplication({ databaseUrl: alone, alone: nats })) },
        { name: 'with handlers', round: () => round(environment, load, together, () => environment.startApplication({ databaseUrl: together }), drained) },
        { name: 'Fastify and pg by hand', round: () => round(environment, load, byHand, () => environment.startPeer('peers/orders-by-hand', byHand)) },
        { name: 'Nest and TypeORM', round: () => round(environment, load, typeorm, () => environment.startPeer('peers/orders-with-typeorm', typeorm)) },
      ],
      close: () => load.stop(),
    };
  },
};

/** @param settled waits until everything that follows from the orders has happened */
async function round(environment: Environment, load: Child, databaseUrl: string, start: () => Promise<Server>, settled?: (databaseUrl: string) => Promise<void>): Promise<Measurement> {
  const before = await countOrders(databaseUrl);
  const server = await start();
  const target = targetOf(server, orderRequests(), 201);
  const run = (seconds: number) => load.call<LoadResult>('closed', { ...target, seconds: Math.max(1, seconds * Math.min(1, environment.scale)) });
  const warmUp = await run(WARM_UP_SECONDS);
  await environment.settle();
  const used = await server.usage();
  const result = await run(SECONDS);
  const cpu = cpuBetween(used, await server.usage()) / result.answers;
  const finished = settled ? await timed(() => settled(databaseUrl)) : undefined;
  await server.stop();
  for (const one of [warmUp, result]) expectAllRight(one);
  await expectStored(databaseUrl, before, warmUp.answers + result.answers);
  return { rate: result.answers / result.seconds, p50: result.p50, p99: result.p99, cpu, ...(finished !== undefined && { behind: finished }) };
}

/** µs of processor time. */
function cpuBetween(before: Usage, after: Usage): number {
  return (after.cpuMs - before.cpuMs) * 1_000;
}

/** How long it takes, in s. */
async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}
