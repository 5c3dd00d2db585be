import path from 'node:path';
import { readCsv } from './csv.ts';

export interface Product {
  readonly id: string;
  readonly name: string;
}

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
  /** Cents. */
  readonly unitPrice: number;
  readonly discountPercent: number;
}

export interface Order {
  /** Northwind's number of the order, which makes placing it repeatable. */
  readonly reference: string;
  readonly customerId: string;
  readonly lines: readonly OrderLine[];
}

export interface Northwind {
  readonly products: readonly Product[];
  readonly orders: readonly Order[];
}

/** What a number of orders comes to; amounts in cents. */
export interface Totals {
  readonly orders: number;
  readonly units: number;
  readonly revenue: number;
  /** Revenue of the best customer, QUICK. */
  readonly quick: number;
}

/** The customer whose sales are compared one by one. */
export const QUICK = 'QUICK';

/** What Northwind's orders are known to come to. */
export const KNOWN_TOTALS: Totals = { orders: 830, units: 51_317, revenue: 126_579_329, quick: 11_027_732 };

const samples = path.join(import.meta.dirname, '..', '..', 'samples', 'northwind');

/** Reads the sample files. @throws Error with file and line of what cannot be read exactly */
export function readNorthwind(folder = samples): Northwind {
  const file = (name: string) => path.join(folder, `${name}.csv`);
  const lines = new Map<string, OrderLine[]>();
  for (const row of readCsv(file('order-lines'), ['order_id', 'product_id', 'unit_price', 'quantity', 'discount'])) {
    const line = { productId: row.product_id, quantity: wholeNumber(row.quantity), unitPrice: cents(row.unit_price), discountPercent: percent(row.discount) };
    lines.set(row.order_id, [...(lines.get(row.order_id) ?? []), line]);
  }
  return {
    products: readCsv(file('products'), ['product_id', 'name']).map((row) => ({ id: row.product_id, name: row.name })),
    orders: readCsv(file('orders'), ['order_id', 'customer_id']).map((row) => ({
      reference: row.order_id,
      customerId: row.customer_id,
      lines: lines.get(row.order_id) ?? [],
    })),
  };
}

/** What the orders come to, calculated here, with exact integers. */
export function totalsOf(orders: readonly Order[]): Totals {
  return {
    orders: orders.length,
    units: orders.flatMap((order) => order.lines).reduce((sum, line) => sum + line.quantity, 0),
    revenue: revenueOf(orders),
    quick: revenueOf(orders.filter((order) => order.customerId === QUICK)),
  };
}

/** Price × quantity less the discount, rounded half up to a cent. */
export function lineTotal({ unitPrice, quantity, discountPercent }: OrderLine): number {
  return Number((BigInt(unitPrice) * BigInt(quantity) * BigInt(100 - discountPercent) + 50n) / 100n);
}

/** How many pieces of each product the orders ask for. */
export function piecesPerProduct(orders: readonly Order[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { productId, quantity } of orders.flatMap((order) => order.lines)) pieces.set(productId, (pieces.get(productId) ?? 0) + quantity);
  return pieces;
}

/** Dollars with two decimals at most, as cents: "9.8" → 980. The digits are moved, nothing is multiplied. */
export function cents(dollars: string): number {
  return shiftedByTwo(dollars, 'an amount in dollars with two decimals at most');
}

/** A fraction in whole percents: "0.05" → 5. */
export function percent(fraction: string): number {
  const value = shiftedByTwo(fraction, 'a fraction from 0 to 1 in whole percents');
  if (value > 100) throw new Error(`"${fraction}" is not a fraction from 0 to 1 in whole percents.`);
  return value;
}

function shiftedByTwo(text: string, what: string): number {
  const [, whole, decimals = ''] = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`"${text}" is not ${what}.`);
  return Number(whole + decimals.padEnd(2, '0'));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`"${text}" is not a whole number.`);
  return Number(text);
}

function revenueOf(orders: readonly Order[]): number {
  return orders.flatMap((order) => order.lines).reduce((sum, line) => sum + lineTotal(line), 0);
}
