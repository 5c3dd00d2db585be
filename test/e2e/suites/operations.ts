import { describe, expect, it } from 'vitest';
import { brokenEvent } from '../../../src/admin/broken-event.spec.ts';
import { EVENTUALLY, unique } from '../api.ts';
import { ADMIN_TOKEN, type RunningApp } from '../harness.ts';

interface Told {
  readonly type: string;
  readonly origin: string;
  readonly published: object | null;
  readonly handlings: readonly { readonly reader: string; readonly state: string; readonly process: string | null; readonly caused: readonly Told[] }[];
}

interface Listed<T> {
  readonly items: readonly T[];
  readonly silent: readonly { readonly context: string }[];
}

/** A person who looks after the system sees all of it, and reaches all of it, wherever the contexts run. */
export function operations(app: () => RunningApp): void {
  const authorization = `Bearer ${ADMIN_TOKEN}`;
  const ask = async <T>(path: string, body?: object) => {
    const { status, body: answer } = await app().api.call<T>(body ? 'POST' : 'GET', `/admin/${path}`, body, { authorization });
    expect(status, JSON.stringify(answer)).toBe(200);
    return answer;
  };

  describe('operating it', () => {
    it('follows a request by its id through all contexts, to its last effect', async () => {
      const { api, mode } = app();
      const [productId, correlationId] = [await api.stock(5), unique('request')];
      const lines = [{ productId, quantity: 1, unitPrice: 100 }];
      const { body } = await api.call<{ id: string }>('POST', '/v1/orders', { customerId: unique('customer'), lines }, { 'x-request-id': correlationId });
      await api.settled(body.id);
      const path = (event: Told): string[] => [`${event.origin} → ${event.type}`, ...event.handlings.flatMap(({ reader, state, caused }) => [`${reader} ${state}`, ...caused.flatMap(path)])];
      const story = async () => (await ask<{ events: Told[] }>(`trace/${correlationId}`)).events;
      await expect.poll(async () => (await story()).flatMap(path), EVENTUALLY).toEqual([
        'ordering.place-order → ordering.order-placed', 'inventory handled',
        'ReserveStockWhenOrderPlaced → inventory.stock-reserved', 'billing handled',
        'ChargeAccountWhenStockReserved → billing.payment-authorised', 'ordering handled',
        'ConfirmOrderWhenPaymentAuthorised → ordering.order-confirmed', 'reporting.sales-report handled',
      ]);
      const all = (event: Told): Told[] => [event, ...event.handlings.flatMap(({ caused }) => caused.flatMap(all))];
      const events = (await story()).flatMap(all);
      expect(events.map(({ published }) => published !== null)).toEqual(events.map(() => mode !== 'in-process'));
      const processes = new Set(events.flatMap(({ handlings }) => handlings.map(({ process }) => process)));
      expect(processes.size).toBe(mode === 'split' ? 4 : 1);
    });

    it('lists an event that no handler understands, and has it handled once it is given another payload', async () => {
      const { api, database } = app();
      const orderId = await api.place(unique('customer'), [{ productId: await api.stock(5), quantity: 1, unitPrice: 100 }]);
      await api.settled(orderId);
      const event = await brokenEvent(database.url, orderId);
      const trouble = () => ask<Listed<{ event: string; context: string; state: string }>>(`trouble?event=${event}`);
      await expect.poll(trouble, EVENTUALLY).toMatchObject({ items: [{ event, context: 'inventory', state: 'dead' }], silent: [] });
      // It has its stock already: the event changes nothing.
      const payload = { orderId, customerId: 'QUICK', lines: [], total: { amount: 100, currency: 'USD' }, placedAt: new Date().toISOString() };
      expect(await ask('trouble/edit', { event, payload, schemaVersion: 1 })).toEqual({ asked: 1, silent: [] });
      await expect.poll(trouble, EVENTUALLY).toEqual({ items: [], silent: [] });
    });

    it('shows every reader of every context, and the streams if there are some', async () => {
      const readers = async () => (await ask<Listed<{ reader: string; source: string; behind: number }>>('readers')).items;
      const expected = ['billing ← inventory', 'billing ← ordering', 'inventory ← billing', 'inventory ← ordering', 'ordering ← billing', 'ordering ← inventory', 'reporting.sales-report ← ordering'];
      const found = (await readers()).filter(({ reader }) => reader !== 'relay');
      expect(found.map(({ reader, source }) => `${reader} ← ${source}`).toSorted()).toEqual(expected);
      await expect.poll(async () => (await readers()).map(({ behind }) => behind).filter((behind) => behind > 0), EVENTUALLY).toEqual([]);
      const { items } = await ask<Listed<{ behind: number; relay: string }>>('streams');
      expect(items.map(({ behind, relay }) => [behind, typeof relay])).toEqual(app().mode === 'in-process' ? [] : [0, 0, 0, 0].map((none) => [none, 'string']));
    });

    it('lets nobody in without the token', async () => {
      expect((await app().api.call('GET', '/admin/readers')).status).toBe(401);
    });
  });
}
