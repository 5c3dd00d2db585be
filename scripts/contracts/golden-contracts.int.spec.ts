import 'reflect-metadata';
import { catalogueOf } from '@nestbox/messaging';
import { describe, expect, it } from 'vitest';
import { contexts } from '../../src/contexts.js';
import { contractsOf } from './contract.ts';
import { checkPromises, promisedContracts } from './golden-contracts.ts';

describe('the contracts of the application', () => {
  const present = contractsOf(catalogueOf(Object.values(contexts)));

  it('are kept, and cover every context', () => {
    expect(promisedContracts().map(({ context }) => context).toSorted()).toEqual(Object.keys(contexts).toSorted());
    expect(() => checkPromises(present)).not.toThrow();
  });

  it('are broken by a context that is not there any more, and by a field of an event that is not', () => {
    const [ordering, ...others] = present;
    expect(() => checkPromises(others)).toThrow(/^Contracts are broken:\n {2}The event ordering\.order-placed is gone/);
    const changed = JSON.parse(JSON.stringify(ordering)) as typeof ordering;
    delete (changed!.events['ordering.order-placed']!.payload.properties as Record<string, unknown>)['lines'];
    expect(() => checkPromises([changed!, ...others])).toThrow(/^A contract is broken:\n {2}The event ordering\.order-placed: "lines" is gone\. Raise its schemaVersion to 2/);
  });
});
