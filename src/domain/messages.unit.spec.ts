import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { uuidv7 } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { GetAccount } from './billing/interactors/get-account.js';
import { SetCreditLimit } from './billing/interactors/set-credit-limit.js';
import { GetProduct } from './inventory/interactors/get-product.js';
import { ListProducts } from './inventory/interactors/list-products.js';
import { ReceiveStock } from './inventory/interactors/receive-stock.js';
import { RegisterProduct } from './inventory/interactors/register-product.js';
import { CancelOrder } from './ordering/interactors/cancel-order.js';
import { GetOrder } from './ordering/interactors/get-order.js';
import { ListOrders } from './ordering/interactors/list-orders.js';
import { PlaceOrder } from './ordering/interactors/place-order.js';
import { GetCustomerSales } from './reporting/interactors/get-customer-sales.js';
import { GetSalesReport } from './reporting/interactors/get-sales-report.js';

const orderId = uuidv7();
const messages: readonly object[] = [
  new PlaceOrder('VINET', [{ productId: 'tofu', quantity: 1, unitPrice: 100, discountPercent: 5 }], 'PO-1'),
  new PlaceOrder('VINET', [{ productId: 'tofu', quantity: 1, unitPrice: 100 }]),
  new CancelOrder(orderId),
  new CancelOrder(orderId, [1, 2]),
  new GetOrder(orderId),
  new ListOrders(),
  new ListOrders({ customerId: 'VINET', status: 'placed', limit: 10, after: orderId }),
  new RegisterProduct('tofu', 'Tofu'),
  new ReceiveStock('tofu', 10),
  new ReceiveStock('tofu', 10, []),
  new GetProduct('tofu'),
  new ListProducts(),
  new ListProducts(10, 'tea'),
  new SetCreditLimit('VINET', 100),
  new SetCreditLimit('VINET', null),
  new SetCreditLimit('VINET', null, [0]),
  new GetAccount('VINET'),
  new GetSalesReport(),
  new GetCustomerSales('VINET'),
];

/** The message as another process receives it. */
function receive(message: object, fields: object = JSON.parse(JSON.stringify(message))): { message: object; refused: string[] } {
  const received = plainToInstance(message.constructor as new () => object, fields);
  const errors = validateSync(received, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  return { message: received, refused: errors.map((error) => error.property) };
}

describe.each(messages.map((message) => [message.constructor.name, JSON.stringify(message), message] as const))('%s %s', (_, __, message) => {
  it('arrives in another process as it was sent', () => {
    const received = receive(message);
    expect(received.refused).toEqual([]);
    expect(JSON.stringify(received.message)).toBe(JSON.stringify(message));
    expect(received.message).toBeInstanceOf(message.constructor);
  });

  it('is refused there with a field that is not of its kind, or that nobody knows', () => {
    for (const field of Object.keys(message)) {
      expect(receive(message, { ...message, [field]: { no: 'such thing' } }).refused).toEqual([field]);
    }
    expect(receive(message, { ...message, extra: 1 }).refused).toEqual(['extra']);
  });
});

describe('ListOrders', () => {
  it('is refused without a filter that is one', () => {
    expect(receive(new ListOrders(), { filter: null }).refused).toEqual(['filter']);
    expect(receive(new ListOrders(), { filter: { limit: 0 } }).refused).toEqual(['filter']);
  });
});

describe('a command for certain versions', () => {
  it.each([[null], ['1'], [[-1]], [[1.5]], [['1']], [[[1]]], [Array.from({ length: 101 }, () => 1)]])('is refused when they are %j', (ifVersion) => {
    expect(receive(new CancelOrder(orderId), { orderId, ifVersion }).refused).toEqual(['ifVersion']);
  });
});
