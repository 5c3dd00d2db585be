import { randomBytes } from 'node:crypto';
import { NatsConnection } from '@nestbox/messaging';

/** A name in front of every subject and stream that no other test has. */
export function ownNamespace(): string {
  return `nbtest_${randomBytes(6).toString('hex')}`;
}

/** Deletes the streams of a namespace from the NATS that `TEST_NATS_URL` names. */
export async function dropStreams(namespace: string): Promise<void> {
  const connection = new NatsConnection({ url: process.env['TEST_NATS_URL']! });
  await connection.start();
  for await (const { config } of connection.jsm.streams.list()) {
    if (config.name.startsWith(`${namespace.toUpperCase()}_`)) await connection.jsm.streams.delete(config.name);
  }
  await connection.close();
}
