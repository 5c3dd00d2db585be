import { describe, expect, it } from 'vitest';
import { random } from './random.js';
import { trendOf } from './trend.js';

const noise = random(3);
const series = (count: number, value: (index: number) => number) => Array.from({ length: count }, (_, index) => ({ at: index, value: value(index) }));

describe('a series', () => {
  it('grows, and by how much of its mean', () => {
    const { verdict, growth, mean } = trendOf(series(101, (index) => 100 + index));
    expect(verdict).toBe('grows');
    expect(mean).toBe(175);
    expect(growth).toBeCloseTo(50 / 175);
  });

  it('shrinks', () => {
    expect(trendOf(series(100, (index) => 200 - index)).verdict).toBe('shrinks');
  });

  it('may grow in its first half, while caches fill', () => {
    expect(trendOf(series(200, (index) => Math.min(index, 90)))).toMatchObject({ verdict: 'does not grow', growth: 0 });
  });

  it('grows beneath noise that is larger than what it grows by', () => {
    expect(trendOf(series(400, (index) => 100 + index / 10 + noise() * 30)).verdict).toBe('grows');
  });

  it('does not grow when it is nothing but noise', () => {
    const verdicts = Array.from({ length: 20 }, () => trendOf(series(200, () => 50 + noise() * 50)).verdict);
    expect(verdicts.filter((verdict) => verdict !== 'does not grow')).toEqual([]);
  });

  it('does not grow by single values out of line', () => {
    expect(trendOf(series(200, (index) => (index > 195 ? 10_000 : 100 + noise()))).verdict).toBe('does not grow');
  });

  it('does not grow when it surely does, but by next to nothing', () => {
    expect(trendOf(series(200, (index) => 1_000 + index / 10))).toMatchObject({ verdict: 'does not grow', growth: expect.closeTo(0.0097, 3) });
  });

  it.each([0, 1, 2, 3])('of %i points has no trend', (count) => {
    expect(trendOf(series(count, (index) => index)).verdict).toBe('does not grow');
  });

  it('of nothing but zeros does not grow', () => {
    expect(trendOf(series(100, () => 0))).toEqual({ mean: 0, growth: 0, verdict: 'does not grow' });
  });
});
