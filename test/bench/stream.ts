import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Environment, withClient } from './environment.js';
import { WARM_UP } from './effects.js';

export interface NatsAddress {
  readonly url: string;
  readonly namespace: string;
}

/** Lets the relay copy the whole outbox into the stream, and checks the copy. */
export async function fillStream(environment: Environment, databaseUrl: string, nats: NatsAddress, events: number): Promise<void> {
  const app = environment.start('engine-process');
  await app.call('start', { databaseUrl, contexts: ['bench'], nats });
  await messagesPerSecond(nats.url, streamOf(nats), events);
  await app.stop();
}

export function streamOf({ namespace }: NatsAddress): string {
  return `${namespace.toUpperCase()}_EVT_bench`;
}

/**
 * Waits until a stream has so many messages; returns how many it stored per second after the warm-up, by its own clock.
 * @throws when they do not come, or too many
 */
export async function messagesPerSecond(url: string, stream: string, messages: number, { exactly = true, timeoutMs = 300_000 } = {}): Promise<number> {
  const client = await connect({ servers: new URL(url).host });
  try {
    const jsm = await jetstreamManager(client);
    const patience = performance.now() + timeoutMs;
    for (;;) {
      const stored = await jsm.streams.info(stream).then(({ state }) => state.messages, () => 0);
      if (exactly && stored > messages) throw new Error(`Stream ${stream} has ${stored} messages instead of ${messages}.`);
      if (stored >= messages) break;
      if (performance.now() > patience) throw new Error(`Stream ${stream} has only ${stored} of ${messages} messages after ${timeoutMs} ms.`);
      await sleep(50);
    }
    const time = async (seq: number) => Date.parse((await jsm.streams.getMessage(stream, { seq }))!.time.toISOString());
    const seconds = ((await time(messages)) - (await time(Math.ceil(messages * WARM_UP)))) / 1_000;
    return (messages * (1 - WARM_UP)) / seconds;
  } finally {
    await client.close();
  }
}

/** @throws unless the stream has exactly the numbers of the log, in order */
export async function checkCopy(databaseUrl: string, nats: NatsAddress, messages: number): Promise<void> {
  const client = await connect({ servers: new URL(nats.url).host });
  try {
    const consumer = await jetstream(client).consumers.get(streamOf(nats));
    const batch = await consumer.consume({ max_messages: 5_000 });
    const ids: string[] = [];
    for await (const message of batch) {
      ids.push(message.headers!.get('ce-id'));
      if (Number(message.headers!.get('Nestbox-N')) !== ids.length) throw new Error(`Message ${ids.length} of the stream is event ${message.headers!.get('Nestbox-N')}.`);
      if (ids.length === messages) break;
    }
    await withClient(databaseUrl, async (db) => {
      const { rows } = await db.query(
        'select count(*)::int wrong from unnest($1::uuid[]) with ordinality c(id, n) full join (select n, id from bench.log join bench.outbox using (position)) l using (n) where c.id is distinct from l.id',
        [ids],
      );
      if (rows[0].wrong > 0) throw new Error(`${rows[0].wrong} messages of the stream are not those of the log.`);
    });
  } finally {
    await client.close();
  }
}
