import { expect, it } from 'vitest';
import { laneOf } from './lanes.js';

it('an aggregate keeps its lane for ever: another formula would let a new process overtake what an old one has stored', () => {
  const lanes = [
    ['default', 'ordering.order', '0198b2d0-0000-7000-8000-000000000001'],
    ['default', 'ordering.order', '0198b2d0-0000-7000-8000-000000000002'],
    ['acme', 'billing.account', 'VINET'],
    ['ünïcödé 漢字', 'a.b', ''],
  ] as const;
  expect(lanes.map(([tenant, type, id]) => laneOf(tenant, type, id))).toEqual([29, 30, 20, 8]);
});
