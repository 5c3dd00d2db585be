import { UsageError } from '@nestbox/kernel';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `'200ms'`, `'90s'`, `'5m'`, `'2h'`, `'1d'` */
export type Duration = `${number}${keyof typeof UNITS}`;

/** A duration in milliseconds. @throws UsageError for text that is none */
export function milliseconds(duration: Duration): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? [];
  if (amount === undefined) throw new UsageError(`"${duration}" is not a duration.`, 'write a number and one of ms, s, m, h and d, for example 90s.');
  return Number(amount) * UNITS[unit as keyof typeof UNITS];
}
