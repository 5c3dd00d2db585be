import type { Benchmark } from '../benchmark.js';
import { NOTE } from '../contexts.js';
import { withClient, type Environment } from '../environment.js';
import { createDatabase, fillOutbox, thingNames } from '../outbox.js';
import { checkCopy, messagesPerSecond, streamOf } from '../stream.js';

const EVENTS = 100_000;
const THINGS = 100;
const WINDOWS = [64, 256, 1_024];
const PAYLOAD = JSON.stringify({ thing: 'thing-50', version: 500, note: NOTE });

export const relay: Benchmark = {
  name: 'relay',
  measures: 'events copied from the outbox to JetStream, acknowledged and in order, by one process',
  units: { rate: 'events/s' },
  rounds: 5,
  comparisons: [{ subject: 'relay', reference: 'bare publish', metric: 'rate', at: 'least', target: 0.85 }],
  async prepare(environment) {
    const things = thingNames(THINGS);
    const events = environment.size(EVENTS, THINGS * 10);
    const databaseUrl = await createDatabase(environment, things);
    await fillOutbox(environment, databaseUrl, things, events);
    // The window that suits the bare publisher best on this machine is the one that it gets.
    const rates = new Map<number, number>();
    for (const window of WINDOWS) rates.set(window, await publish(environment, events, window, []));
    const window = WINDOWS.toSorted((left, right) => rates.get(right)! - rates.get(left)!)[0]!;
    return {
      contestants: [
        { name: 'relay', round: async () => ({ rate: await copy(environment, databaseUrl, events) }) },
        { name: 'bare publish', round: async () => ({ rate: await publish(environment, events, window, []) }) },
        // For explanation only: what the envelope costs, without any outbox.
        { name: 'bare publish of the same envelope', round: async () => ({ rate: await publish(environment, events, window, envelope()) }) },
      ],
    };
  },
};

/** One round of the relay, into a new stream. */
export async function copy(environment: Environment, databaseUrl: string, events: number): Promise<number> {
  const nats = { url: environment.natsUrl, namespace: environment.createNamespace() };
  await withClient(databaseUrl, (client) => client.query("delete from bench.cursor where reader = 'relay'"));
  await environment.settle();
  const app = environment.start('engine-process');
  await app.call('start', { databaseUrl, contexts: ['bench'], nats });
  const rate = await messagesPerSecond(nats.url, streamOf(nats), events);
  await app.stop();
  await checkCopy(databaseUrl, nats, events);
  // The end of the process notes how far the stream is.
  const { rows } = await withClient(databaseUrl, (client) => client.query("select max(n)::int n from bench.cursor where reader = 'relay'"));
  if (rows[0].n !== events) throw new Error(`The relay has noted ${rows[0].n} of ${events} events.`);
  await environment.deleteStreams([nats.namespace]);
  return rate;
}

async function publish(environment: Environment, messages: number, window: number, headers: readonly (readonly [string, string])[]): Promise<number> {
  const stream = environment.createNamespace();
  await environment.settle();
  const publisher = environment.start('peers/bare-publisher');
  await publisher.call('publish', { url: environment.natsUrl, stream, messages, window, payload: PAYLOAD, headers });
  const rate = await messagesPerSecond(environment.natsUrl, stream, messages);
  await publisher.stop();
  await environment.deleteStreams([stream]);
  return rate;
}

/** As many headers as an event has, about as long. */
function envelope(): [string, string][] {
  const uuid = '01890a5d-ac96-774b-bcce-b302099a8057';
  const names = ['ce-specversion', 'ce-source', 'ce-type', 'ce-subject', 'ce-datacontenttype', 'ce-tenant', 'ce-aggregatetype', 'ce-aggregateversion', 'ce-schemaversion', 'Nestbox-N', 'Nestbox-Prev', 'Nestbox-Lane'];
  return [...names.map((name): [string, string] => [name, 'bench.thing']), ...['ce-id', 'ce-time', 'ce-correlationid', 'ce-causationid', 'Nestbox-Relay'].map((name): [string, string] => [name, uuid])];
}
