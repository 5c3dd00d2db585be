/** A value at a time, in any unit. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

export type Verdict = 'grows' | 'shrinks' | 'does not grow';

export interface Trend {
  /** Over the second half. */
  readonly mean: number;
  /** What the second half has added from its begin to its end, as a share of the mean; 0 when chance may have done it. */
  readonly growth: number;
  readonly verdict: Verdict;
}

/** A change smaller than this share of the mean counts as none. */
export const TOLERATED_GROWTH = 0.05;
/** Of the normal distribution: chance alone does it once in a hundred times. */
const SIGNIFICANT = 2.576;

/**
 * What a series does in its second half, when caches are full and pools are open. The slope is the median of the slopes between
 * all pairs of points (Theil and Sen), so that single values out of line do not matter; whether it stands out of the noise says
 * the test of Mann and Kendall.
 */
export function trendOf(points: readonly Point[]): Trend {
  const half = points.slice(Math.floor(points.length / 2));
  const mean = half.reduce((sum, { value }) => sum + value, 0) / (half.length || 1);
  const slopes = half.flatMap((one, index) => half.slice(index + 1).map((other) => (other.value - one.value) / (other.at - one.at)));
  if (slopes.length === 0 || mean === 0 || !standsOut(slopes, half.length)) return { mean, growth: 0, verdict: 'does not grow' };
  const growth = (median(slopes) * (half.at(-1)!.at - half[0]!.at)) / Math.abs(mean);
  return { mean, growth, verdict: growth > TOLERATED_GROWTH ? 'grows' : growth < -TOLERATED_GROWTH ? 'shrinks' : 'does not grow' };
}

function standsOut(slopes: readonly number[], count: number): boolean {
  const score = slopes.reduce((sum, slope) => sum + Math.sign(slope), 0);
  return Math.abs(score) - 1 > SIGNIFICANT * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
