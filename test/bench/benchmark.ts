import type { Environment } from './environment.js';

/** Numbers of one round, by the name of what was measured. */
export type Measurement = Readonly<Record<string, number>>;

/** One side of a benchmark. */
export interface Contestant {
  readonly name: string;
  /** Runs once and checks its own result. @throws when anything was lost, doubled or reordered: then there is no number */
  round(): Promise<Measurement>;
}

/** What a benchmark shall show: a ratio of two contestants' medians, or without a reference, a median itself. */
export interface Comparison {
  readonly subject: string;
  readonly reference?: string;
  readonly metric: string;
  /** `least`: more is better and the target is the smallest good value. */
  readonly at: 'least' | 'most';
  readonly target: number;
}

/** A benchmark that is ready to run its rounds. */
export interface Prepared {
  readonly contestants: readonly Contestant[];
  close?(): Promise<void>;
}

export interface Benchmark {
  readonly name: string;
  /** One sentence. */
  readonly measures: string;
  readonly units: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Whether the packages of test/bench have to be there. */
  readonly needsPeers?: boolean;
  /** Takes so long that `all` does not include it. */
  readonly onlyByName?: boolean;
  readonly comparisons: readonly Comparison[];
  prepare(environment: Environment): Promise<Prepared>;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Outcome {
  readonly name: string;
  readonly measures: string;
  readonly rounds: number;
  readonly contestants: readonly { readonly name: string; readonly metrics: Readonly<Record<string, Spread & { readonly unit: string }>> }[];
  readonly comparisons: readonly (Comparison & { readonly value: number; readonly met: boolean })[];
}

/**
 * Runs the contestants in turns, so that whatever else the machine does meets them all; who begins changes from round
 * to round. @throws what a contestant throws
 */
export async function run(benchmark: Benchmark, environment: Environment, rounds: number, progress: (line: string) => void): Promise<Outcome> {
  const prepared = await benchmark.prepare(environment);
  const seen = new Map(prepared.contestants.map(({ name }) => [name, [] as Measurement[]]));
  try {
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? prepared.contestants : prepared.contestants.toReversed();
      for (const contestant of order) {
        const measured = await contestant.round();
        seen.get(contestant.name)!.push(measured);
        progress(`round ${round + 1}/${rounds}  ${contestant.name}: ${Object.entries(measured).map(([metric, value]) => `${metric} ${rounded(value)}`).join(', ')}`);
      }
    }
  } finally {
    await prepared.close?.();
  }
  return conclude(benchmark, rounds, seen);
}

function conclude(benchmark: Benchmark, rounds: number, seen: ReadonlyMap<string, readonly Measurement[]>): Outcome {
  const { name, measures, units, comparisons } = benchmark;
  const spreads = new Map([...seen].map(([contestant, measured]) => [contestant, spreadOf(measured)]));
  return {
    name, measures, rounds,
    contestants: [...spreads].map(([contestant, metrics]) => ({
      name: contestant,
      metrics: Object.fromEntries(Object.entries(metrics).map(([metric, spread]) => [metric, { ...spread, unit: units[metric] ?? '' }])),
    })),
    comparisons: comparisons.map((comparison) => {
      const median = (contestant: string) => spreads.get(contestant)![comparison.metric]!.median;
      const value = comparison.reference === undefined ? median(comparison.subject) : median(comparison.subject) / median(comparison.reference);
      return { ...comparison, value, met: comparison.at === 'least' ? value >= comparison.target : value <= comparison.target };
    }),
  };
}

function spreadOf(measured: readonly Measurement[]): Record<string, Spread> {
  const metrics = Object.keys(measured[0] ?? {});
  return Object.fromEntries(
    metrics.map((metric) => {
      const values = measured.map((one) => one[metric]!).toSorted((left, right) => left - right);
      return [metric, { median: quantile(values, 0.5), min: values[0]!, max: values.at(-1)! }];
    }),
  );
}

/** Of sorted values; between two of them the mean of both. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  return (sorted[Math.floor(at)]! + sorted[Math.ceil(at)]!) / 2;
}

/** For people: whole numbers from 100 on, else three digits. */
export function rounded(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}
