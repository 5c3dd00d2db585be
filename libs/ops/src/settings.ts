import type { SettingDefinition, SettingDefinitions, SettingValues } from '@nestbox/kernel';
import { customCleanEnv, EnvError, EnvMissingError, makeExactValidator } from 'envalid';

/** One setting that is wrong. */
export interface SettingProblem {
  readonly name: string;
  /** What the environment has, hidden for secrets. */
  readonly value: string;
  readonly problem: string;
}

/** Everything that is wrong with the settings of a start, in one table. */
export class InvalidSettings extends Error {
  constructor(readonly problems: readonly SettingProblem[]) {
    super(`The settings of this start are wrong. Correct them in the environment or in .env (docs/configuration.md lists all):\n${table(problems)}`);
    this.name = new.target.name;
  }
}

type Definition = SettingDefinition & { readonly optional?: boolean };

/**
 * Reads settings from the environment. An empty value counts as unset.
 * @param sets definitions from the libraries and modules that use them
 * @throws InvalidSettings with every problem of every set
 */
export function readSettings<const Sets extends readonly SettingDefinitions[]>(env: NodeJS.ProcessEnv, ...sets: Sets): { [K in keyof Sets]: SettingValues<Sets[K]> } {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const problems: SettingProblem[] = [];
  const values = sets.map((definitions) => {
    const specs = Object.fromEntries(Object.entries(definitions).map(([name, definition]) => [name, validator(definition)]));
    return customCleanEnv(given, specs, (cleaned) => ({ ...cleaned }), {
      reporter: ({ errors }) => {
        for (const [name, error] of Object.entries(errors)) problems.push(describe(name, definitions[name]!, given[name], error as Error));
      },
    });
  });
  if (problems.length > 0) throw new InvalidSettings(problems);
  return values as { [K in keyof Sets]: SettingValues<Sets[K]> };
}

/** What a setting accepts, in words. */
export function accepts(definition: Definition): string {
  switch (definition.type) {
    case 'integer': {
      const { min, max } = definition;
      if (min !== undefined && max !== undefined) return `a whole number from ${min} to ${max}`;
      if (min !== undefined) return `a whole number, ${min} or more`;
      return 'a whole number';
    }
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${definition.choices.join(', ')}`;
    case 'url':
      return `a URL that begins with ${definition.protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    case 'string':
      return definition.minLength === undefined ? 'text' : `text of ${definition.minLength} characters or more`;
  }
}

function validator(definition: Definition) {
  const parse = makeExactValidator<unknown>((text) => parseValue(definition, text));
  const fallback = 'default' in definition ? definition.default : undefined;
  if (fallback !== undefined) return parse({ default: fallback as NonNullable<unknown> });
  return definition.optional ? parse({ default: undefined }) : parse();
}

function parseValue(definition: Definition, text: string): unknown {
  const refuse = () => new EnvError(`must be ${accepts(definition)}`);
  switch (definition.type) {
    case 'integer': {
      const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
      if (!Number.isSafeInteger(value) || value < (definition.min ?? -Infinity) || value > (definition.max ?? Infinity)) throw refuse();
      return value;
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw refuse();
      return text === 'true';
    case 'choice':
      if (!definition.choices.includes(text)) throw refuse();
      return text;
    case 'url':
      // Several servers of a cluster are separated by commas.
      for (const part of text.split(',')) if (!URL.canParse(part.trim()) || !definition.protocols.includes(new URL(part.trim()).protocol)) throw refuse();
      return text;
    case 'string':
      if (text.length < (definition.minLength ?? 0)) throw refuse();
      return text;
  }
}

function describe(name: string, definition: Definition, value: string | undefined, error: Error): SettingProblem {
  const shown = value === undefined ? '(unset)' : definition.secret ? '(hidden)' : JSON.stringify(value);
  return { name, value: shown, problem: error instanceof EnvMissingError ? `is required: ${accepts(definition)}` : error.message };
}

function table(problems: readonly SettingProblem[]): string {
  const rows = [{ name: 'setting', value: 'value', problem: 'problem' }, ...problems];
  const width = (key: 'name' | 'value') => Math.max(...rows.map((row) => row[key].length));
  return rows.map((row) => `  ${row.name.padEnd(width('name'))}  ${row.value.padEnd(width('value'))}  ${row.problem}`).join('\n');
}
