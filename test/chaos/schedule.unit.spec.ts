import { describe, expect, it } from 'vitest';
import { FAULTS, MODES, scheduleOf } from './schedule.ts';

const MINUTE = 60_000;

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another seed, length or mode', () => {
    const one = scheduleOf(7, MINUTE, 'split');
    expect(scheduleOf(7, MINUTE, 'split')).toEqual(one);
    expect(scheduleOf(8, MINUTE, 'split')).not.toEqual(one);
    expect(scheduleOf(7, MINUTE, 'nats')).not.toEqual(one);
  });

  it.each(MODES)('has in time every kind of fault there is for %s', (mode) => {
    const seen = new Set(scheduleOf(1, 30 * MINUTE, mode).map(({ kind }) => kind));
    const there = FAULTS.filter((kind) => mode !== 'in-process' || !/^(nats|stream)-/.test(kind));
    expect([...seen].sort()).toEqual([...there].sort());
  });

  it('pauses a service for longer than its lease lives, and has no fault that outlasts the run', () => {
    const faults = [1, 2, 3, 4, 5].flatMap((seed) => scheduleOf(seed, 15_000, 'split'));
    const pauses = faults.filter(({ kind }) => kind === 'service-pause');
    expect(pauses.length).toBeGreaterThan(0);
    expect(pauses.every(({ lasts }) => lasts > 2_000)).toBe(true);
    expect(Math.max(...faults.map(({ lasts }) => lasts))).toBeLessThanOrEqual(15_000 / 2);
  });
});
