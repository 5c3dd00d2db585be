import { cleanEnv, EnvMissingError } from 'envalid';
import { type SettingDefinition, type SettingDefinitions, type SettingValues, UsageError } from '@nestbox/kernel';
import { requirementOf, specOf } from './spec-of-setting.js';

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting whose value cannot be used. */
export interface SettingError {
  readonly name: string;
  /** As it was given; `(hidden)` for a secret, `(not set)` when it is missing. */
  readonly value: string;
  readonly what: string;
  readonly requirement: string;
}

/** Settings of the environment are missing or wrong: all of them, in one table. */
export class InvalidSettings extends UsageError {
  constructor(readonly errors: readonly SettingError[]) {
    const what = `${errors.length === 1 ? '1 setting is' : `${errors.length} settings are`} missing or wrong:\n\n${tableOf(errors)}\n`;
    super(what, 'correct them in the environment or in the file .env; docs/configuration.md explains every setting.');
  }
}

/**
 * Parses the settings of several definition sets from one environment, in the order given. An empty variable counts as
 * not set.
 *
 * ```ts
 * const [http, database] = readSettings([httpSettings, databaseSettings], process.env);
 * ```
 * @throws InvalidSettings with everything that is wrong in any of the sets
 */
export function readSettings<const S extends readonly SettingDefinitions[]>(sets: S, env: Environment): { [I in keyof S]: SettingValues<S[I]> } {
  refuseRepeated(sets);
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const wrong: SettingError[] = [];
  const values = sets.map((definitions) => {
    const specs = Object.fromEntries(Object.entries(definitions).map(([name, definition]) => [name, specOf(definition)]));
    const read = cleanEnv(given, specs, {
      reporter: ({ errors }) => {
        for (const [name, error] of Object.entries(errors)) wrong.push(errorOf(name, definitions[name]!, given[name], error!));
      },
    }) as Readonly<Record<string, unknown>>;
    // A plain object: envalid's own throws for names it does not know, also when a logger or a test looks at it.
    return Object.fromEntries(Object.keys(definitions).map((name) => [name, read[name]]));
  });
  if (wrong.length > 0) throw new InvalidSettings(wrong);
  return values as { [I in keyof S]: SettingValues<S[I]> };
}

/** Two definitions of one name could disagree about its type. */
function refuseRepeated(sets: readonly SettingDefinitions[]): void {
  const seen = new Set<string>();
  for (const name of sets.flatMap((definitions) => Object.keys(definitions))) {
    if (seen.has(name)) throw new UsageError(`The setting ${name} is defined twice.`, 'define it once, where it is used, and pass its value on.');
    seen.add(name);
  }
}

function errorOf(name: string, definition: SettingDefinition, given: string | undefined, error: Error): SettingError {
  const missing = error instanceof EnvMissingError;
  const shown = definition.secret ? '(hidden)' : JSON.stringify(given);
  return { name, value: missing ? '(not set)' : shown, what: missing ? 'is missing' : error.message, requirement: requirementOf(definition) };
}

function tableOf(errors: readonly SettingError[]): string {
  const rows = errors.map(({ name, value, what, requirement }) => [name, value, what, `must be ${requirement}`]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`).join('\n');
}
