import { uuidv7 } from '@nestbox/kernel';
import { TestApplication } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contexts } from '../../contexts.js';
import { OrderConfirmed } from '../ordering/models/order.events.js';
import { GetCustomerSales } from './interactors/get-customer-sales.js';
import { GetSalesReport } from './interactors/get-sales-report.js';
import { RecordSaleWhenOrderConfirmed } from './interactors/record-sale-when-order-confirmed.js';

const usd = (amount: number) => ({ amount, currency: 'USD' });
const confirmed = (customerId: string, units: number, amount: number) => new OrderConfirmed(uuidv7(), customerId, units, usd(amount));

describe('reporting', () => {
  let running: TestApplication;

  beforeAll(async () => {
    running = await TestApplication.start(Object.values(contexts));
  });
  afterAll(() => running?.stop());

  it('reports zeros before anything is sold', async () => {
    expect(await running.queries.execute(new GetSalesReport())).toEqual({ orders: 0, units: 0, revenue: usd(0) });
    expect(await running.queries.execute(new GetCustomerSales('VINET'))).toEqual({ customerId: 'VINET', orders: 0, units: 0, revenue: usd(0) });
  });

  it('adds up sales within a batch and across batches', async () => {
    await running.deliver(RecordSaleWhenOrderConfirmed, confirmed('VINET', 2, 500), confirmed('ALFKI', 1, 100), confirmed('VINET', 3, 250));
    await running.deliver(RecordSaleWhenOrderConfirmed, confirmed('VINET', 1, 1));
    expect(await running.queries.execute(new GetCustomerSales('VINET'))).toEqual({ customerId: 'VINET', orders: 3, units: 6, revenue: usd(751) });
    expect(await running.queries.execute(new GetSalesReport())).toEqual({ orders: 4, units: 7, revenue: usd(851) });
  });

  it('loses no sale when many batches write at the same time', async () => {
    const customers = ['A', 'B', 'C', 'D'];
    const rotated = (by: number) => [...customers.slice(by), ...customers.slice(0, by)];
    const batches = Array.from({ length: 8 }, (_, i) => rotated(i % 4).map((customer) => confirmed(`parallel-${customer}`, 1, 10)));
    await Promise.all(batches.map((events) => running.deliver(RecordSaleWhenOrderConfirmed, ...events)));
    for (const customer of customers) {
      expect(await running.queries.execute(new GetCustomerSales(`parallel-${customer}`))).toMatchObject({ orders: 8, revenue: usd(80) });
    }
  });
});
