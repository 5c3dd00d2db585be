import { DomainError } from '@nestbox/kernel';
import { cliErrors } from './cli.errors.js';

/** Prints what a program reads, or what a person does. */
export function print<T>(json: boolean, value: T, text: (value: T) => string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text(value)}\n`);
}

/** Says which contexts did not answer; what was printed lacks their part, so the command fails. */
export function warnOfSilent(silent: readonly { readonly context: string; readonly reason: string }[]): void {
  for (const { context, reason } of silent) process.stderr.write(`No answer from "${context}": ${reason}\n`);
  if (silent.length > 0) process.exitCode = 1;
}

/** Rows under their headings, as wide as they have to be. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const width = (column: number) => Math.max(...lines.map((line) => line[column]!.length));
  const widths = headings.map((_, column) => width(column));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n');
}

/** Names and what they stand for, indented, one a line. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}

/** A time for people: the day only when it is not today. */
export function shortTime(iso: string | null): string {
  if (iso === null) return '';
  const [day, time] = iso.split('T') as [string, string];
  return `${day === new Date().toISOString().slice(0, 10) ? '' : `${day} `}${time.replace('Z', '')}`;
}

/** What a person is told about a refusal, with the code that `problem show` explains. */
export function refusalText({ message, code }: DomainError): string {
  return `${message} (${code})`;
}

/** `1 event`, `2 events` */
export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** An argument that makes no sense. */
export class WrongArgument extends DomainError {
  static readonly definition = cliErrors.wrongArgument;

  constructor(what: string, cure: string) {
    super(WrongArgument.definition, `${what} ${cure}`);
  }
}
