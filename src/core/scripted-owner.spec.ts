import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { catalogueOf, NatsConnection, Subjects } from '@nestbox/messaging';
import { expect, vi } from 'vitest';
import { RemoteServer, type RemoteServerOptions } from '../../libs/messaging/src/nats/remote-server.js';
import { contexts } from '../contexts.js';
import { createApplication } from './application.js';
import { callerHeaders, developerSettings } from './developer.spec.js';

const silent = () => undefined;
const logger = { log: silent, warn: silent, error: silent };

/** The gateway, and behind it, over NATS, an owner of every context that answers whatever a test tells it to. */
export class ScriptedOwner {
  private constructor(readonly gateway: NestFastifyApplication, readonly caller: { authorization: string }, readonly subjects: Subjects, readonly connection: NatsConnection) {}

  static async start(more: NodeJS.ProcessEnv = {}): Promise<ScriptedOwner> {
    const env = { ...developerSettings, SERVICE: 'gateway', NATS_URL: process.env['TEST_NATS_URL'], NATS_NAMESPACE: `nbtest_${randomBytes(5).toString('hex')}`, LOG_LEVEL: 'silent', ...more };
    const { app } = await createApplication(env);
    await app.init();
    const connection = new NatsConnection({ url: env.NATS_URL!, logger });
    await connection.start();
    // The gateway connects while it starts, and refuses what it cannot pass on yet.
    await vi.waitFor(async () => expect((await app.inject('/health/ready')).statusCode).toBe(200), { timeout: 60_000, interval: 20 });
    return new ScriptedOwner(app, await callerHeaders(app), new Subjects(env.NATS_NAMESPACE), connection);
  }

  /** Answers every command and query with what `answer` gives or throws, for as long as `work` takes. */
  async answering<T>(answer: () => Promise<unknown>, work: () => Promise<T>, options: Partial<RemoteServerOptions> = {}): Promise<T> {
    const server = new RemoteServer({ connection: this.connection, subjects: this.subjects, contexts: Object.keys(contexts), messages: catalogueOf(Object.values(contexts)).messages, execute: answer, timeoutMs: 5_000, logger, ...options });
    await server.start();
    try {
      return await work();
    } finally {
      await server.stop();
    }
  }

  async stop(): Promise<void> {
    await this.gateway.close();
    await this.connection.close();
  }
}
