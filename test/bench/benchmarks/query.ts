import { isDeepStrictEqual } from 'node:util';
import type { Server } from '../application.js';
import type { Benchmark } from '../benchmark.js';
import { withClient } from '../environment.js';
import { measureServer } from '../http-round.js';
import type { LoadRequest, LoadResult } from '../load.js';
import { CONNECTIONS, createApplicationDatabase, drained, expectAllRight, orderRequests, targetOf } from '../orders.js';

const ORDERS = 1_000;

export const query: Benchmark = {
  name: 'query',
  measures: `orders of four lines read over HTTP by ${CONNECTIONS} callers, from the same rows`,
  units: { rate: 'reads/s', p50: 'ms', p99: 'ms', cpu: 'µs/read' },
  rounds: 5,
  needsPeers: true,
  comparisons: [{ subject: 'application', reference: 'Fastify and pg by hand', metric: 'rate', at: 'least', target: 0.8 }],
  async prepare(environment) {
    const databaseUrl = await createApplicationDatabase(environment, { stocked: true });
    const load = environment.start('load');
    const startApplication = () => environment.startApplication({ databaseUrl });
    const startByHand = () => environment.startPeer('peers/orders-by-hand', databaseUrl);
    const application = await startApplication();
    expectAllRight(await load.call<LoadResult>('closed', { ...targetOf(application, orderRequests(), 201), limit: ORDERS }));
    await drained(databaseUrl);
    const { rows } = await withClient(databaseUrl, (client) => client.query<{ id: string }>('select id from ordering.orders order by id'));
    const requests = rows.map(({ id }): LoadRequest => ({ method: 'GET', path: `/v1/orders/${id}` }));
    const byHand = await startByHand();
    for (const { path } of requests.slice(0, 100)) await expectSameAnswer(path, application, byHand);
    await Promise.all([application.stop(), byHand.stop()]);
    const round = (start: () => Promise<Server>) => async () => {
      const server = await start();
      const { measured } = await measureServer(environment, load, { server, requests, status: 200 });
      await server.stop();
      return measured;
    };
    return {
      contestants: [
        { name: 'application', round: round(startApplication) },
        { name: 'Fastify and pg by hand', round: round(startByHand) },
      ],
      close: () => load.stop(),
    };
  },
};

/** @throws unless both say the same of an order */
async function expectSameAnswer(path: string, ...servers: readonly Server[]): Promise<void> {
  const [one, other] = await Promise.all(servers.map(async ({ url, headers }) => (await fetch(url + path, { headers })).json()));
  if (!isDeepStrictEqual(one, other)) throw new Error(`The two answers to ${path} are not the same: ${JSON.stringify(one)} and ${JSON.stringify(other)}.`);
}
