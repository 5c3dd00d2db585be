import { randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** Subjects and streams of one test, on a NATS that tests share. */
export interface NatsNamespace {
  readonly url: string;
  readonly name: string;
  /** Deletes its streams and gives their names. */
  drop(): Promise<string[]>;
}

/** @throws when `TEST_NATS_URL` is missing; `npm test` sets it */
export function createNatsNamespace(): NatsNamespace {
  const url = process.env['TEST_NATS_URL'];
  if (!url) throw new Error('TEST_NATS_URL is not set. Run the tests with `npm test`, which finds or starts a NATS and sets it.');
  const name = `nbtest_${randomBytes(6).toString('hex')}`;
  return { url, name, drop: () => dropStreams(url, `${name.toUpperCase()}_`) };
}

async function dropStreams(url: string, prefix: string): Promise<string[]> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    const dropped: string[] = [];
    for await (const { config } of manager.streams.list()) {
      if (!config.name.startsWith(prefix)) continue;
      await manager.streams.delete(config.name);
      dropped.push(config.name);
    }
    return dropped.toSorted();
  } finally {
    await connection.close();
  }
}
