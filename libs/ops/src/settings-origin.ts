import type { SettingDefinition } from '@nestbox/kernel';
import { fileVariable } from './secrets.js';
import type { SettingSection } from './settings-docs.js';
import { parseVaultReference } from './vault.js';

/** A setting as this environment has it, for a person. */
export interface ExplainedSetting {
  readonly section: string;
  readonly name: string;
  /** As it is written; secrets are not shown. */
  readonly value: string;
  /** `default`, `.env`, `environment`, `file <path>` or `vault <mount>/<path>#<key>` */
  readonly from: string;
  readonly description: string;
}

/**
 * Every setting, and where its value comes from. Nothing is read but the environment: no file, no Vault.
 * @param dotEnv what the file `.env` says; the environment wins over it
 */
export function explainSettings(sections: readonly SettingSection[], env: NodeJS.ProcessEnv, dotEnv: Readonly<Record<string, string | undefined>>): ExplainedSetting[] {
  return sections.flatMap(({ title, definitions }) =>
    Object.entries(definitions).map(([name, definition]) => ({ section: title, name, ...valueOf(name, definition, env, dotEnv), description: definition.description })),
  );
}

function valueOf(name: string, definition: SettingDefinition, env: NodeJS.ProcessEnv, dotEnv: Readonly<Record<string, string | undefined>>): Pick<ExplainedSetting, 'value' | 'from'> {
  const file = definition.secret ? env[fileVariable(name)] : undefined;
  if (file) return { value: '(secret)', from: `file ${file}` };
  const value = env[name];
  if (!value) {
    const fallback = 'default' in definition ? String(definition.default ?? '') : '';
    return { value: fallback === '' ? '(unset)' : fallback, from: 'default' };
  }
  if (definition.secret && parseVaultReference(value)) return { value: '(secret)', from: value.replace(':', ' ') };
  return { value: definition.secret ? '(secret)' : value, from: dotEnv[name] === value ? '.env' : 'environment' };
}
