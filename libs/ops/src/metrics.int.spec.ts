import 'reflect-metadata';
import { type NestFastifyApplication, FastifyAdapter } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MetricsModule } from './metrics.module.js';
import { MetricsRegistry, type Sample } from './metrics.registry.js';

describe('/metrics', () => {
  let app: NestFastifyApplication;
  let samples: Sample<'queue_length'>[] = [];
  let broken = false;
  let measured = 0;

  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(MetricsModule, new FastifyAdapter(), { logger: ['error'] });
    app.get(MetricsRegistry).register({
      name: 'queues',
      definitions: { queue_length: { help: 'What waits.', labels: ['queue'] } },
      collect: async () => {
        measured += 1;
        await new Promise((resolve) => setImmediate(resolve));
        if (broken) throw new Error('no answer');
        return samples;
      },
    });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });

  afterAll(() => app?.close());

  const scrape = async () => (await app.inject({ url: '/metrics' })).body;
  const queue = (name: string, value: number): Sample<'queue_length'> => ({ name: 'queue_length', labels: { queue: name }, value });

  it('has what Node says about itself, in the text format of Prometheus', async () => {
    const answer = await app.inject({ url: '/metrics' });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  it('measures at every scrape, and forgets what is no longer there', async () => {
    samples = [queue('mail', 3), queue('fax', 1)];
    expect(await scrape()).toMatch(/^# HELP queue_length What waits\.\n# TYPE queue_length gauge\nqueue_length\{queue="mail"\} 3\nqueue_length\{queue="fax"\} 1$/m);
    samples = [queue('mail', 2)];
    const text = await scrape();
    expect(text).toContain('queue_length{queue="mail"} 2');
    expect(text).not.toContain('fax');
  });

  it('says which collector failed, and has everything else', async () => {
    broken = true;
    const text = await scrape();
    expect(text).toContain('nestbox_collector_up{collector="queues"} 0');
    expect(text).not.toContain('queue_length{');
    expect(text).toMatch(/^process_resident_memory_bytes/m);
    broken = false;
    expect(await scrape()).toContain('nestbox_collector_up{collector="queues"} 1');
  });

  it('measures once for scrapes at the same time', async () => {
    measured = 0;
    const texts = await Promise.all([scrape(), scrape(), scrape()]);
    expect(measured).toBe(1);
    for (const text of texts) expect(text).toContain('queue_length{queue="mail"} 2');
  });
});
