import { describe, expect, it } from 'vitest';
import type { StoredEvent } from './envelope.js';
import { LANES, laneOf } from './lanes.js';
import { backoffMs } from './trouble.js';
import { wavesOf } from './waves.js';

const event = (aggregateId: string, n: number) => ({ tenantId: 't', aggregateType: 'a.b', aggregateId, n }) as StoredEvent;

describe('waves', () => {
  it('take one event of each aggregate at a time, in its order', () => {
    const waves = wavesOf([event('x', 1), event('y', 2), event('x', 3), event('x', 4), event('y', 5)]);
    expect(waves.map((wave) => wave.map(({ n }) => n))).toEqual([[1, 2], [3, 5], [4]]);
  });
});

describe('lanes', () => {
  it('are the same for the same aggregate, and few for one tenant', () => {
    const lanes = new Set(Array.from({ length: 1000 }, (_, i) => laneOf('acme', 'a.b', String(i))));
    expect(lanes.size).toBe(4);
    for (const lane of lanes) expect(lane).toBeLessThan(LANES);
    expect(laneOf('acme', 'a.b', '7')).toBe(laneOf('acme', 'a.b', '7'));
  });

  it('are all used by many tenants', () => {
    expect(new Set(Array.from({ length: 500 }, (_, i) => laneOf(`t${i}`, 'a.b', '1'))).size).toBe(LANES);
  });
});

describe('the pause before another attempt', () => {
  it('doubles up to a minute, between half of it and all of it', () => {
    expect([1, 2, 3, 4].map((attempts) => backoffMs(attempts, 0, () => 1))).toEqual([200, 400, 800, 1600]);
    expect(backoffMs(1, 0, () => 0)).toBe(100);
    expect(backoffMs(1, 1_200, () => 1)).toBe(24_000);
    expect(backoffMs(40, 0, () => 1)).toBe(60_000);
  });
});
