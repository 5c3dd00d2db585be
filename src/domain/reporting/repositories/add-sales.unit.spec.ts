import { describe, expect, it } from 'vitest';
import { addSales } from './add-sales.js';

const sale = (customerId: string, units: number, revenue: number) => ({ customerId, currency: 'USD', orders: 1, units, revenue });

describe('addSales', () => {
  it('touches every customer once, in key order', () => {
    const [statement, ...more] = addSales([sale('VINET', 3, 500), sale('ALFKI', 1, 100), sale('VINET', 2, 250)], ['acme', 'acme', 'acme']);
    expect(more).toEqual([]);
    expect(statement!.values).toEqual([['acme', 'acme'], ['ALFKI', 'VINET'], ['USD', 'USD'], [1, 2], [1, 5], [100, 750]]);
  });

  it('keeps customers of the same name apart when they are different tenants\'', () => {
    const [statement] = addSales([sale('VINET', 3, 500), sale('VINET', 2, 250)], ['globex', 'acme']);
    expect(statement!.values).toEqual([['acme', 'globex'], ['VINET', 'VINET'], ['USD', 'USD'], [1, 1], [2, 3], [250, 500]]);
  });
});
