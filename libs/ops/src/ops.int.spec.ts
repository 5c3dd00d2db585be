import 'reflect-metadata';
import { Controller, Get, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestFastifyApplication, FastifyAdapter } from '@nestjs/platform-fastify';
import { withMessage } from '@nestbox/kernel';
import { Logger as PinoLogger } from 'nestjs-pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HealthModule } from './health.module.js';
import { HealthRegistry } from './health.registry.js';
import { LoggingModule } from './logging.module.js';

@Controller()
class WorkController {
  @Get('work')
  work() {
    return withMessage({ correlationId: 'c-1', causationId: 'c-0', tenantId: 'acme', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      new Logger('work').log({ order: 7 }, 'doing it');
      return 'done';
    });
  }
}

class App {}

describe('operating a service', () => {
  const lines: string[] = [];
  let app: NestFastifyApplication;
  let health: HealthRegistry;
  let broken: string | undefined;

  beforeAll(async () => {
    const module = { module: App, imports: [LoggingModule.forRoot({ service: 'worker', level: 'info', destination: { write: (line) => void lines.push(line) } }), HealthModule], controllers: [WorkController] };
    app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { bufferLogs: true, abortOnError: false });
    app.useLogger(app.get(PinoLogger));
    health = app.get(HealthRegistry);
    health.register({
      name: 'store',
      probe: async () => {
        if (broken) throw new Error(broken);
        return { lanes: 4 };
      },
    });
    await app.init();
  });

  afterAll(() => app?.close());

  beforeEach(() => {
    lines.length = 0;
    broken = undefined;
  });

  const log = () => lines.map((line) => JSON.parse(line));
  const get = async (url: string) => {
    const answer = await app.inject({ url });
    return { status: answer.statusCode, body: answer.payload.startsWith('{') ? answer.json() : answer.payload };
  };

  describe('logs', () => {
    it('carry the service, and inside a message its chain, tenant and trace', async () => {
      expect((await get('/work')).body).toBe('done');
      new Logger('elsewhere').log('outside');
      const [inside, outside] = log();
      expect(inside).toMatchObject({ level: 30, service: 'worker', correlationId: 'c-1', causationId: 'c-0', tenantId: 'acme', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7', context: 'work', order: 7 });
      expect(outside).toMatchObject({ service: 'worker', context: 'elsewhere', msg: 'outside' });
      for (const field of ['correlationId', 'trace_id']) expect(outside).not.toHaveProperty(field);
    });

    it('have errors with their stack', () => {
      new Logger('work').error(new Error('it broke'));
      expect(log()[0]).toMatchObject({ level: 50, context: 'work', err: { message: 'it broke', stack: expect.stringContaining('ops.int.spec') } });
    });

    it.each([
      { password: 'hunter2' },
      { user: { password: 'hunter2', token: 'hunter2' } },
      { headers: { authorization: 'Bearer hunter2', cookie: 'hunter2', 'set-cookie': 'hunter2', 'x-api-key': 'hunter2' } },
      { req: { headers: { authorization: 'hunter2' } } },
      { url: 'postgres://app:hunter2@db/app' },
      new Error('cannot connect to nats://app:hunter2@127.0.0.1:4222'),
      Object.assign(new Error('refused'), { token: 'hunter2' }),
      { err: Object.assign(new Error('refused'), { config: { authorization: 'hunter2' } }) },
      { cause: Object.assign(new Error('refused'), { config: { authorization: 'hunter2' } }) },
    ])('never have a secret: %j', (what) => {
      new Logger('work').warn(what);
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toContain('hunter2');
      expect(lines[0]).toContain('(hidden)');
    });
  });

  it('logs what is put into a text without its secrets', () => {
    new Logger('work').log('signed in: %j', { user: { token: 'hunter2', name: 'ada' } });
    expect(log()[0]).toMatchObject({ msg: 'signed in: {"user":{"token":"(hidden)","name":"ada"}}' });
  });

  describe('health', () => {
    it('is ready when every probe succeeds', async () => {
      expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ok', details: { process: { status: 'up' }, store: { status: 'up', lanes: 4 } } } });
    });

    it('is not ready, but alive, when a probe fails, and says which', async () => {
      broken = 'cannot be reached';
      const { status, body } = await get('/health/ready');
      expect(status).toBe(503);
      expect(body.message).toBe('Not ready: store cannot be reached.');
      expect(body.error.store).toMatchObject({ status: 'down', message: 'cannot be reached' });
      expect(await get('/health/live')).toEqual({ status: 200, body: { status: 'ok' } });
    });

    it('is not ready, but alive, once the process is to stop', async () => {
      health.leave();
      expect(await get('/health/ready')).toMatchObject({ status: 503, body: { message: 'Not ready: process is stopping.' } });
      expect((await get('/health/live')).status).toBe(200);
    });
  });
});
