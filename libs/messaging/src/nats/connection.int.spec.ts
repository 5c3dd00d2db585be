import { afterEach, describe, expect, it } from 'vitest';
import { UsageError } from '@nestbox/kernel';
import { NatsConnection } from './connection.js';
import { OwnServer, Recorded, until } from './fixture.spec.js';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function ownServer(): Promise<OwnServer> {
  const server = await OwnServer.prepare();
  cleanUp.push(() => server.remove());
  return server;
}

function connectionTo(url: string) {
  const logger = new Recorded();
  const connection = new NatsConnection({ url, logger, name: 'test' });
  cleanUp.push(() => connection.close());
  return { connection, logger };
}

describe('NatsConnection', () => {
  it('waits for a server that is not there yet, and says so', async () => {
    const server = await ownServer();
    const { connection, logger } = connectionTo(server.url);
    const started = connection.start();
    await until(() => logger.matching(/cannot be reached.*NATS_URL/).length > 0);
    expect(connection.status()).toBe('disconnected');
    expect(() => connection.client).toThrow(UsageError);
    server.start();
    await started;
    expect(connection.status()).toBe('connected');
    expect(logger.matching(/cannot be reached/).length).toBeGreaterThan(0);
  });

  it('survives a restart of the server and tells who listens', async () => {
    const server = await ownServer();
    server.start();
    const { connection, logger } = connectionTo(server.url);
    await connection.start();
    let reconnects = 0;
    connection.onConnect(() => reconnects++);
    for (const round of [1, 2]) {
      await server.stop();
      await until(() => connection.status() === 'disconnected');
      server.start();
      await until(() => connection.status() === 'connected');
      await until(() => reconnects === round);
      await connection.client.flush();
    }
    expect(logger.matching(/is lost/)).toHaveLength(2);
  });

  it('closes while the server is down, and while it still waits for it', async () => {
    const server = await ownServer();
    const waiting = connectionTo(server.url).connection;
    const started = waiting.start();
    await waiting.close();
    await started;

    server.start();
    const { connection } = connectionTo(server.url);
    await connection.start();
    await server.stop();
    await until(() => connection.status() === 'disconnected');
    await connection.close();
    await connection.close();
    expect(connection.status()).toBe('disconnected');
  });

  it.each(['stays silent', 'goes away'])('closes although the server falls silent before the last word, and %s', async (then) => {
    const server = await ownServer();
    server.start();
    const { connection } = connectionTo(server.url);
    await connection.start();
    connection.client.subscribe('something', { callback: () => undefined });
    await connection.client.flush();
    server.freeze();
    const closed = connection.close();
    if (then === 'goes away') await server.stop();
    await closed;
    expect(connection.status()).toBe('disconnected');
  });

  it('takes credentials from the URL and keeps them out of the log', async () => {
    const server = await ownServer();
    server.start('--user', 'me', '--pass', 'se:cret');
    const { connection, logger } = connectionTo(`nats://me:se%3Acret@127.0.0.1:${server.port}`);
    await connection.start();
    expect(connection.status()).toBe('connected');
    expect(logger.lines.join()).not.toContain('cret');
  });

  it('keeps trying when the credentials are refused', async () => {
    const server = await ownServer();
    server.start('--user', 'me', '--pass', 'secret');
    const { connection, logger } = connectionTo(server.url);
    const started = connection.start();
    await until(() => logger.matching(/cannot be reached \(.*uthorization/).length > 0);
    await connection.close();
    await started;
  });
});
