import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { PlaceOrder } from '../interactors/place-order.js';
import { OrderPosition } from './order-filter.js';
import { OrderLineBody } from './order.fields.js';
import { PlaceOrderBody } from './place-order.body.js';

const line = { productId: 'tofu', quantity: 1, unitPrice: 100 };
const body = { customerId: 'VINET', lines: [line] };

/** The paths of the fields that are refused. */
function refusals(type: new (...args: never[]) => object, input: object): string[] {
  const errors = validateSync(plainToInstance(type as new () => object, input), { whitelist: true, forbidNonWhitelisted: true });
  return errors.flatMap((error) => paths(error));
}

function paths({ property, children = [] }: ValidationError): string[] {
  return children.length > 0 ? children.flatMap((child) => paths(child).map((path) => `${property}.${path}`)) : [property];
}

describe('the body of POST /v1/orders', () => {
  it.each([
    ['the least', body],
    ['everything', { ...body, reference: 'PO 1/2 – Käse', lines: [{ ...line, discountPercent: 100 }] }],
    ['the largest', { customerId: 'x'.repeat(64), lines: Array(100).fill({ ...line, quantity: 1_000_000, unitPrice: Number.MAX_SAFE_INTEGER }) }],
  ])('may say %s', (_, input) => {
    expect(refusals(PlaceOrderBody, input)).toEqual([]);
    expect(refusals(PlaceOrder, input)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['no customer', { lines: [line] }, 'customerId'],
    ['an empty customer', { ...body, customerId: '' }, 'customerId'],
    ['a customer id with other characters', { ...body, customerId: 'VINET\n' }, 'customerId'],
    ['a customer id that is too long', { ...body, customerId: 'x'.repeat(65) }, 'customerId'],
    ['a number as customer', { ...body, customerId: 7 }, 'customerId'],
    ['a field nobody knows', { ...body, coupon: 'X' }, 'coupon'],
    ['a reference of blanks', { ...body, reference: ' ' }, 'reference'],
    ['a reference with a zero character', { ...body, reference: 'a\u0000' }, 'reference'],
    ['a reference with half a character', { ...body, reference: '\ud800' }, 'reference'],
    ['null as reference', { ...body, reference: null }, 'reference'],
    ['no lines', { customerId: 'VINET' }, 'lines'],
    ['empty lines', { ...body, lines: [] }, 'lines'],
    ['101 lines', { ...body, lines: Array(101).fill(line) }, 'lines'],
    ['an object as lines', { ...body, lines: line }, 'lines'],
    ['null as lines', { ...body, lines: null }, 'lines'],
  ])('may not say %s', (_, input, path) => {
    expect(refusals(PlaceOrderBody, input)).toEqual([path]);
    expect(refusals(PlaceOrder, input)).toEqual([path]);
  });

  it.each<[string, unknown, string]>([
    ['quantity', 0, 'quantity'],
    ['quantity', 1.5, 'quantity'],
    ['quantity', '1', 'quantity'],
    ['quantity', 1_000_001, 'quantity'],
    ['quantity', null, 'quantity'],
    ['unitPrice', -1, 'unitPrice'],
    ['unitPrice', 0.5, 'unitPrice'],
    ['unitPrice', '100', 'unitPrice'],
    ['unitPrice', 2 ** 53, 'unitPrice'],
    ['discountPercent', -1, 'discountPercent'],
    ['discountPercent', 101, 'discountPercent'],
    ['discountPercent', 12.5, 'discountPercent'],
    ['discountPercent', null, 'discountPercent'],
    ['productId', 'to fu', 'productId'],
    ['productId', ['tofu'], 'productId'],
    ['colour', 'white', 'colour'],
  ])('may not have a line with %s = %j', (field, value, path) => {
    const input = { ...body, lines: [line, { ...line, [field]: value }] };
    expect(refusals(PlaceOrderBody, input)).toEqual([`lines.1.${path}`]);
    expect(refusals(PlaceOrder, input)).toEqual([`lines.1.${path}`]);
  });

  it.each([[null], ['tofu'], [7], [[]], [[line]]])('may not have %j as a line', (value) => {
    expect(refusals(PlaceOrderBody, { ...body, lines: [value] })).not.toEqual([]);
  });

  it('becomes objects of its classes', () => {
    expect(plainToInstance(PlaceOrderBody, body).lines[0]).toBeInstanceOf(OrderLineBody);
  });
});

describe('a reference', () => {
  it('has up to 100 characters, also of those that need two halves', () => {
    expect(refusals(PlaceOrderBody, { ...body, reference: '😀'.repeat(100) })).toEqual([]);
    expect(refusals(PlaceOrderBody, { ...body, reference: '😀'.repeat(101) })).toEqual(['reference']);
  });
});

describe('the filter of the list of orders', () => {
  it('reads its limit from text', () => {
    expect(refusals(OrderPosition, { limit: '200', status: 'placed', customerId: 'VINET', after: '019acf5e-7c00-7000-8000-000000000000' })).toEqual([]);
    expect(plainToInstance(OrderPosition, { limit: '200' }).limit).toBe(200);
    expect(refusals(OrderPosition, {})).toEqual([]);
  });

  it.each([
    ['limit', '0'],
    ['limit', '201'],
    ['limit', 'many'],
    ['limit', ''],
    ['limit', '1.5'],
    ['status', 'lost'],
    ['status', ['placed', 'confirmed']],
    ['customerId', ['A', 'B']],
    ['limit', '0x10'],
    ['limit', '1e1'],
    ['limit', ' 10'],
    ['limit', ['10']],
    ['limit', null],
    ['after', 'tea'],
    ['cursor', 'abc'],
    ['order', 'asc'],
  ])('refuses %s = %j', (field, value) => {
    expect(refusals(OrderPosition, { [field]: value })).toEqual([field]);
  });
});
