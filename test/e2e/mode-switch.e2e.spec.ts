import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.ts';
import { Api } from './api.ts';
import { environmentOf, newSecrets, type Mode, servicesOf } from './harness.ts';
import { createNatsNamespace, type NatsNamespace } from './nats-namespace.ts';
import { ServiceProcess } from './service-process.ts';

/** docs/how-to/split-into-services.md, walked through: there, and back again. */
const WAY: readonly Mode[] = ['in-process', 'nats', 'split', 'in-process'];

describe('one database, from one process to several and back', () => {
  let database: TestDatabase;
  let nats: NatsNamespace;
  const secrets = newSecrets();
  let running: ServiceProcess[] = [];

  beforeAll(async () => {
    expect(build()).toBe(true);
    database = await createTestDatabase();
    nats = createNatsNamespace();
  });

  afterAll(async () => {
    for (const service of running) await service.kill('SIGKILL');
    await nats.drop();
    await database.drop();
  });

  async function startAs(mode: Mode): Promise<Api> {
    const settings = { ...database.env, ...secrets, LOG_LEVEL: 'warn', ...(mode !== 'in-process' && { NATS_URL: nats.url, NATS_NAMESPACE: nats.name }) };
    running = await Promise.all(servicesOf(mode).map((service) => ServiceProcess.start(service, environmentOf(service, settings))));
    return new Api(running[0]!.url);
  }

  it('loses and doubles nothing, and needs no change of the data', async () => {
    const perStep = 20;
    for (const [step, mode] of WAY.entries()) {
      const api = await startAs(mode);
      if (step === 0) await api.stock(WAY.length * perStep, 'travelling');
      // What was placed in the modes before is there, each order once.
      await expect.poll(() => api.sales()).toMatchObject({ orders: step * perStep, units: step * perStep });
      // The last ones are placed right before the stop: their events travel on in the next mode.
      await Promise.all(Array.from({ length: perStep }, () => api.place('traveller', [{ productId: 'travelling', quantity: 1, unitPrice: 100 }])));
      if (step === WAY.length - 1) {
        const total = WAY.length * perStep;
        await expect.poll(() => api.sales()).toEqual({ orders: total, units: total, revenue: { amount: total * 100, currency: 'USD' } });
        expect(await api.product('travelling')).toMatchObject({ onHand: total, reserved: total });
        expect(await api.account('traveller')).toMatchObject({ charged: { amount: total * 100 } });
      }
      for (const service of running) await service.stop();
      running = [];
    }
  });
});
