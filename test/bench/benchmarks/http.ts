import type { Server } from '../application.js';
import type { Benchmark, Measurement } from '../benchmark.js';
import type { Child } from '../child.js';
import type { Environment } from '../environment.js';
import { measureServer } from '../http-round.js';
import { CONNECTIONS, countOrders, createApplicationDatabase, drained, expectStored, orderRequests, storedShape } from '../orders.js';

interface Side {
  readonly name: string;
  readonly databaseUrl: string;
  start(): Promise<Server>;
  /** Waits until everything that follows from the orders has happened. */
  settled?(): Promise<void>;
}

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
    const [alone, byHand, typeorm] = [await createApplicationDatabase(environment), await createApplicationDatabase(environment), await createApplicationDatabase(environment)];
    const stocked = await createApplicationDatabase(environment, { stocked: true });
    const sides: Side[] = [
      { name: 'commands alone', databaseUrl: alone, start: () => environment.startApplication({ databaseUrl: alone, alone: nats }) },
      { name: 'with handlers', databaseUrl: stocked, start: () => environment.startApplication({ databaseUrl: stocked }), settled: () => drained(stocked) },
      { name: 'Fastify and pg by hand', databaseUrl: byHand, start: () => environment.startPeer('peers/orders-by-hand', byHand) },
      { name: 'Nest and TypeORM', databaseUrl: typeorm, start: () => environment.startPeer('peers/orders-with-typeorm', typeorm) },
    ];
    const load = environment.start('load');
    const shapes = new Map<string, string>();
    const contestant = (side: Side) => ({
      name: side.name,
      round: async () => {
        const measured = await round(environment, load, side);
        shapes.set(await storedShape(side.databaseUrl), side.name);
        if (shapes.size > 1) throw new Error(`They do not store the same: ${Array.from(shapes, ([shape, name]) => `${name}: ${shape}`).join('\n')}`);
        return measured;
      },
    });
    return { contestants: sides.map(contestant), close: () => load.stop() };
  },
};

async function round(environment: Environment, load: Child, { databaseUrl, start, settled }: Side): Promise<Measurement> {
  const before = await countOrders(databaseUrl);
  const server = await start();
  const { measured, answers } = await measureServer(environment, load, { server, requests: orderRequests(), status: 201 });
  const lastAnswer = performance.now();
  await settled?.();
  const behind = (performance.now() - lastAnswer) / 1_000;
  await server.stop();
  await expectStored(databaseUrl, before, answers);
  return { ...measured, ...(settled && { behind }) };
}
