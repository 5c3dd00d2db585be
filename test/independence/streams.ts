import { Logger } from '@nestjs/common';
import { NatsConnection } from '@nestbox/messaging';

/** A connection to the NATS of the tests. */
export async function connect(): Promise<NatsConnection> {
  const connection = new NatsConnection({ url: process.env['TEST_NATS_URL']!, name: 'independence', logger: new Logger('nats') });
  await connection.start();
  return connection;
}

/** Removes what a test has left in the server that tests share. */
export async function dropStreams(connection: NatsConnection, namespace: string): Promise<void> {
  for await (const { config } of connection.jsm.streams.list()) {
    if (config.name.startsWith(`${namespace.toUpperCase()}_`)) await connection.jsm.streams.delete(config.name);
  }
}
