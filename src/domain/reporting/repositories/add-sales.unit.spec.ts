import { describe, expect, it } from 'vitest';
import { addSales } from './add-sales.js';

const sale = (customerId: string, units: number, revenue: number) => ({ customerId, currency: 'USD', orders: 1, units, revenue });

describe('addSales', () => {
  it('touches every customer once, in key order', () => {
    const [statement, ...more] = addSales([sale('VINET', 3, 500), sale('ALFKI', 1, 100), sale('VINET', 2, 250)]);
    expect(more).toEqual([]);
    expect(statement!.values).toEqual([['ALFKI', 'VINET'], ['USD', 'USD'], [1, 2], [1, 5], [100, 750]]);
  });
});
