/**
 * The definition of one setting: plain data, written once, in the library or module that uses it. From it come the
 * parsed value, the error table of a boot, `.env.example` and `docs/configuration.md`.
 */
export type SettingDefinition = {
  readonly description: string;
  /** Never shown in logs, errors or generated files. */
  readonly secret?: boolean;
} & (
  | { readonly type: 'string'; readonly minLength?: number; readonly default?: string }
  | { readonly type: 'url'; readonly protocols: readonly string[]; readonly default?: string }
  | { readonly type: 'integer'; readonly min?: number; readonly max?: number; readonly default?: number }
  | { readonly type: 'boolean'; readonly default?: boolean }
  | { readonly type: 'choice'; readonly choices: readonly string[]; readonly default?: string }
);

export type SettingDefinitions = Readonly<Record<string, SettingDefinition & { readonly optional?: boolean }>>;

type ValueOf<D> = D extends { type: 'integer' }
  ? number
  : D extends { type: 'boolean' }
    ? boolean
    : D extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : string;

/** The parsed values of a set of definitions. `optional: true` without a default gives `undefined` when unset. */
export type SettingValues<D extends SettingDefinitions> = {
  readonly [K in keyof D as D[K] extends { optional: true } ? never : K]: ValueOf<D[K]>;
} & {
  readonly [K in keyof D as D[K] extends { optional: true } ? K : never]?: ValueOf<D[K]> | undefined;
};
