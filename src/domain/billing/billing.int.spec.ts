import { uuidv7 } from '@nestbox/kernel';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contexts } from '../../contexts.js';
import { StockReserved } from '../inventory/models/reservation.events.js';
import { OrderCancelled } from '../ordering/models/order.events.js';
import { ChargeAccountWhenStockReserved } from './interactors/charge-account-when-stock-reserved.js';
import { GetAccount } from './interactors/get-account.js';
import { SetCreditLimit } from './interactors/set-credit-limit.js';
import { VoidChargeWhenOrderCancelled } from './interactors/void-charge-when-order-cancelled.js';

const usd = (amount: number) => ({ amount, currency: 'USD' });
const largest = Number.MAX_SAFE_INTEGER;

describe('billing', () => {
  let running: TestApplication;

  beforeAll(async () => {
    running = await TestApplication.start(Object.values(contexts));
  });
  afterAll(() => running?.stop());

  const reserved = (customerId: string, amount: number, orderId = uuidv7()) => new StockReserved(orderId, customerId, usd(amount));
  const charge = (...events: StockReserved[]) => running.deliver(ChargeAccountWhenStockReserved, ...events);
  const cancel = (orderId: string, customerId: string) => running.deliver(VoidChargeWhenOrderCancelled, new OrderCancelled(orderId, customerId));
  const account = (customerId: string) => running.queries.execute(new GetAccount(customerId));
  const typesOf = async (orderId: string) => (await running.eventsOf('billing', orderId)).map((event) => event.type);

  it('gives an account without a limit to a customer nobody has heard of', async () => {
    expect(await account('nobody')).toEqual({ customerId: 'nobody', creditLimit: null, charged: usd(0), available: null, version: 0 });
  });

  it('sets and lifts a credit limit', async () => {
    expect(await running.commands.execute(new SetCreditLimit('limited', largest))).toEqual({
      customerId: 'limited',
      creditLimit: usd(largest),
      charged: usd(0),
      available: usd(largest),
    });
    await running.commands.execute(new SetCreditLimit('limited', null));
    expect(await account('limited')).toMatchObject({ creditLimit: null, available: null, version: 2 });
  });

  it('charges up to the limit, to the cent', async () => {
    await running.commands.execute(new SetCreditLimit('tight', 1_000));
    const [first, tooMuch, exactly] = [reserved('tight', 600), reserved('tight', 401), reserved('tight', 400)];
    for (const event of [first, tooMuch, exactly]) await charge(event);
    expect(await account('tight')).toMatchObject({ charged: usd(1_000), available: usd(0) });
    expect(await typesOf(first.orderId)).toEqual(['billing.payment-authorised']);
    expect(await running.eventsOf('billing', tooMuch.orderId)).toEqual([
      { type: 'billing.payment-declined', payload: { orderId: tooMuch.orderId, customerId: 'tight', reason: 'credit-limit' } },
    ]);
  });

  it('opens one account for a new customer with several orders in one batch', async () => {
    await charge(reserved('new', 100), reserved('new', 200), reserved('new-too', 1), reserved('new', 300));
    expect(await account('new')).toMatchObject({ charged: usd(600) });
    expect(await account('new-too')).toMatchObject({ charged: usd(1) });
  });

  it('voids a charge when its order is cancelled', async () => {
    const event = reserved('voided', 500);
    await charge(event, reserved('voided', 70));
    await cancel(event.orderId, 'voided');
    expect(await account('voided')).toMatchObject({ charged: usd(70) });
    expect(await typesOf(event.orderId)).toEqual(['billing.payment-authorised', 'billing.payment-voided']);
  });

  it('charges nothing for an order whose cancellation came first', async () => {
    const event = reserved('hasty', 500);
    await cancel(event.orderId, 'hasty');
    await charge(event);
    expect(await account('hasty')).toMatchObject({ charged: usd(0) });
    expect(await typesOf(event.orderId)).toEqual([]);
  });

  it('declines what would leave the range of exact numbers, limit or not', async () => {
    await charge(reserved('rich', largest));
    const more = reserved('rich', 1);
    await charge(more);
    expect(await account('rich')).toMatchObject({ charged: usd(largest) });
    expect(await typesOf(more.orderId)).toEqual(['billing.payment-declined']);
  });
});
