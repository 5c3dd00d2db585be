import { type Outcome, rounded } from './benchmark.js';
import type { Machine } from './machine.js';

/** A benchmark's result, for people. */
export function describe(outcome: Outcome): string {
  const rows = outcome.contestants.flatMap(({ name, metrics }) =>
    Object.entries(metrics).map(([metric, { median, min, max, unit }]) => [name, metric, rounded(median), `${rounded(min)} – ${rounded(max)}`, unit]),
  );
  return [
    `\n${outcome.name}: ${outcome.measures} (${outcome.rounds} rounds)`,
    ...table([['', '', 'median', 'min – max', ''], ...rows]),
    ...outcome.comparisons.map((comparison) => `  ${comparisonLine(comparison)}`),
  ].join('\n');
}

export function describeMachine(machine: Machine): string {
  return Object.entries(machine).map(([name, value]) => `${name}: ${value}`).join('\n');
}

function comparisonLine({ subject, reference, metric, value, target, at, met }: Outcome['comparisons'][number]): string {
  const what = reference === undefined ? `${subject}, ${metric}` : `${subject} / ${reference}, ${metric}`;
  const shown = value >= 100 ? rounded(value) : value.toFixed(2);
  return `${what} = ${shown}   target ${at === 'least' ? '≥' : '≤'} ${target}: ${met ? 'met' : 'MISSED'}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => (column < 2 || column === 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ')}`.trimEnd());
}
