import type { Benchmark } from '../benchmark.js';
import { NOTE } from '../contexts.js';
import type { Environment } from '../environment.js';
import { createDatabase, fillOutbox, thingNames } from '../outbox.js';
import { messagesPerSecond } from '../stream.js';
import { copy } from './relay.js';

const EVENTS = 100_000;
const MESSAGES = 2_000;
const THINGS = 100;

export const relayPeer: Benchmark = {
  name: 'relay-peer',
  measures: 'the same as relay, beside another outbox for Node',
  units: { rate: 'events/s' },
  rounds: 3,
  needsPeers: true,
  comparisons: ['tuned', 'defaults'].map((settings) => ({ subject: 'relay', reference: `pg-transactional-outbox, ${settings}`, metric: 'rate', at: 'least', target: 50 })),
  async prepare(environment) {
    const things = thingNames(THINGS);
    const events = environment.size(EVENTS, THINGS * 10);
    const databaseUrl = await createDatabase(environment, things);
    await fillOutbox(environment, databaseUrl, things, events);
    return {
      contestants: [
        { name: 'relay', round: async () => ({ rate: await copy(environment, databaseUrl, events) }) },
        // One batch takes at most one message of every segment: more than there are segments would help nobody.
        { name: 'pg-transactional-outbox, tuned', round: () => peerRound(environment, { batchSize: THINGS, pollingIntervalMs: 10, tuned: true }, environment.size(MESSAGES)) },
        { name: 'pg-transactional-outbox, defaults', round: () => peerRound(environment, { batchSize: 5, pollingIntervalMs: 500, tuned: false }, environment.size(MESSAGES / 10)) },
      ],
    };
  },
};

async function peerRound(environment: Environment, settings: { batchSize: number; pollingIntervalMs: number; tuned: boolean }, messages: number) {
  const databaseUrl = await environment.createDatabase();
  const stream = environment.createNamespace();
  const peer = environment.start('peers/pg-transactional-outbox');
  await peer.call('prepare', { databaseUrl, messages, things: THINGS, note: NOTE });
  await environment.settle();
  await peer.call('publish', { databaseUrl, natsUrl: environment.natsUrl, stream, ...settings });
  // Now and then one of its messages stays behind for long: the others are waited for.
  const rate = await messagesPerSecond(environment.natsUrl, stream, Math.floor(messages * 0.95), { exactly: false, timeoutMs: 120_000 });
  await peer.stop();
  await environment.deleteStreams([stream]);
  return { rate };
}
