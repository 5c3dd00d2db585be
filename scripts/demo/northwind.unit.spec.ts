import { describe, expect, it } from 'vitest';
import { parseCsv } from './csv.ts';
import { cents, KNOWN_TOTALS, lineTotal, percent, piecesPerProduct, readNorthwind, totalsOf } from './northwind.ts';

describe('the Northwind samples', () => {
  const { products, orders } = readNorthwind();

  it('come to the known totals', () => {
    expect(totalsOf(orders)).toEqual(KNOWN_TOTALS);
    expect(KNOWN_TOTALS).toEqual({ orders: 830, units: 51_317, revenue: 126_579_329, quick: 11_027_732 });
  });

  it('are complete: every order has lines, of products that exist, and nothing is there twice', () => {
    expect(orders.flatMap((order) => order.lines)).toHaveLength(2_155);
    expect(orders.filter((order) => order.lines.length === 0)).toEqual([]);
    expect(new Set(orders.map((order) => order.reference)).size).toBe(orders.length);
    const ids = new Set(products.map((product) => product.id));
    expect(ids.size).toBe(77);
    const pieces = piecesPerProduct(orders);
    expect([...pieces.keys()].filter((id) => !ids.has(id))).toEqual([]);
    expect([...pieces.values()].reduce((sum, quantity) => sum + quantity, 0)).toBe(KNOWN_TOTALS.units);
  });

  it('fit what the API takes', () => {
    for (const { lines } of orders) {
      expect(lines.length).toBeLessThanOrEqual(100);
      for (const line of lines) expect(line.quantity).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('exact numbers', () => {
  it.each([
    ['14', 1_400],
    ['9.8', 980],
    ['0.07', 7],
    ['263.50', 26_350],
    // As a floating point number, times 100 it is 114.99999999999999.
    ['1.15', 115],
    ['0', 0],
  ])('%s dollars are %i cents', (text, expected) => expect(cents(text)).toBe(expected));

  it.each(['', '1.234', '-1', '1e3', '.5', '1,5', ' 1', '1.'])('"%s" is no amount', (text) => expect(() => cents(text)).toThrow(`"${text}" is not an amount`));

  it.each([
    ['0', 0],
    ['0.05', 5],
    ['0.1', 10],
    ['0.25', 25],
    // As a floating point number, times 100 it is 28.999999999999996.
    ['0.29', 29],
    ['1', 100],
  ])('%s is %i percent', (text, expected) => expect(percent(text)).toBe(expected));

  it.each(['0.125', '1.01', '5%', '-0.1'])('"%s" is no discount', (text) => expect(() => percent(text)).toThrow(`"${text}" is not a fraction`));

  it.each([
    [1, 1, 50, 1],
    [1, 1, 51, 0],
    [333, 5, 10, 1_499],
    [999, 3, 15, 2_547],
    [1_400, 12, 0, 16_800],
    [1_400, 12, 100, 0],
  ])('%i cents × %i less %i percent are %i cents', (unitPrice, quantity, discountPercent, total) => {
    expect(lineTotal({ productId: 'any', unitPrice, quantity, discountPercent })).toBe(total);
  });
});

describe('CSV', () => {
  it('reads columns by name, whatever their order and line ends', () => {
    expect(parseCsv('b,a,c\r\n1,2,3\r\n4,,6\r\n', ['a', 'b'], 'x.csv')).toEqual([
      { a: '2', b: '1' },
      { a: '', b: '4' },
    ]);
  });

  it('refuses what it would misread, with file and line', () => {
    expect(() => parseCsv('a,b\n1,2\n3', ['a'], 'x.csv')).toThrow('x.csv:3: 1 fields instead of 2.');
    expect(() => parseCsv('a,b\n"1,2",3', ['a'], 'x.csv')).toThrow('x.csv:2: quoted fields are not supported.');
    expect(() => parseCsv('a,b\n1,2', ['c'], 'x.csv')).toThrow('x.csv:1: there is no column "c".');
  });
});
