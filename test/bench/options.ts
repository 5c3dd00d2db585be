import { parseArgs } from 'node:util';
import { UsageError } from '@nestbox/kernel';

/** What the command line asks for. */
export interface Options {
  /** Names of benchmarks; `all` may be among them. */
  readonly names: readonly string[];
  /** Unset: what each benchmark suggests. */
  readonly rounds: number | undefined;
  readonly scale: number;
  readonly json: boolean;
  /** Folder for CPU profiles. */
  readonly profile: string | undefined;
  /** How long `soak` takes. */
  readonly minutes: number;
  /** File for the plot of `soak`. */
  readonly plot: string | undefined;
}

export const USAGE = '`npm run bench -- <name> … [--rounds N] [--scale 0.1] [--json] [--profile <folder>]`, and for soak `[--minutes 30] [--plot <file.svg>]`';

const OPTIONS = {
  rounds: { type: 'string' },
  scale: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  profile: { type: 'string' },
  minutes: { type: 'string', default: '30' },
  plot: { type: 'string' },
} as const;

/** @throws UsageError for an argument that means nothing */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const rounds = values.rounds === undefined ? undefined : positive('rounds', values.rounds);
  if (rounds !== undefined && !Number.isInteger(rounds)) throw new UsageError(`--rounds is "${values.rounds}", which is not a whole number.`, 'say how often to measure, for example --rounds 3.');
  return { names: positionals, rounds, scale: positive('scale', values.scale), json: values.json, profile: values.profile, minutes: positive('minutes', values.minutes), plot: values.plot };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\. (?=To specify)/)[0]!, `use ${USAGE}.`);
  }
}

function positive(name: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!(number > 0) || !Number.isFinite(number)) throw new UsageError(`--${name} is "${text}", which is not a number above 0.`, `write it like --${name} ${name === 'scale' ? '0.1' : '3'}.`);
  return number;
}
