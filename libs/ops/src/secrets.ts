import { readFile } from 'node:fs/promises';
import type { SettingDefinitions } from '@nestbox/kernel';
import { InvalidSettings, readSettings, type SettingProblem } from './settings.js';
import { isVaultReference, parseVaultReference, Vault, VaultFailure } from './vault.js';
import { vaultSettings } from './vault.settings.js';

/** What a file could not be read for, in words. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EACCES: 'this process may not read it', EISDIR: 'it is a directory' };

/** The variable that names a file with a secret: `DATABASE_URL` → `DATABASE_URL_FILE`. */
export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/** The names of the settings that are secrets. */
export function secretNames(sets: readonly SettingDefinitions[]): string[] {
  return sets.flatMap((definitions) => Object.keys(definitions).filter((name) => definitions[name]!.secret));
}

/**
 * The environment with the secrets themselves in place of what refers to them: the content of the file that `<NAME>_FILE`
 * names, without its last line break, and the secret in Vault that `vault:<mount>/<path>#<key>` names. Only settings marked
 * `secret` can refer to one. Vault is asked only when there is a reference.
 * @throws InvalidSettings with every secret that cannot be had, and everything else that is wrong
 */
export async function resolveSecrets(env: NodeJS.ProcessEnv, ...sets: readonly SettingDefinitions[]): Promise<NodeJS.ProcessEnv> {
  const own = secretNames([vaultSettings]);
  const names = secretNames(sets).filter((name) => !own.includes(name));
  const resolved = { ...env };
  // In this order: the token for Vault may stand in a file.
  const failed = new Map([...(await readFiles(resolved, [...own, ...names])), ...(await readVault(env, resolved, names))]);
  if (failed.size === 0) return resolved;
  const others = problemsOf(resolved, sets).filter(({ name }) => !failed.has(name));
  throw new InvalidSettings([...new Map([...failed.values(), ...others].map((problem) => [problem.name, problem])).values()]);
}

/** Problems by the name of the setting that has no value because of them. */
type Failed = ReadonlyMap<string, SettingProblem>;

async function readFiles(resolved: NodeJS.ProcessEnv, names: readonly string[]): Promise<Failed> {
  const failed = new Map<string, SettingProblem>();
  for (const name of names) {
    const variable = fileVariable(name);
    const file = resolved[variable];
    if (!file) continue;
    delete resolved[variable];
    const content = resolved[name] ? { problem: `is set, and so is ${name}: unset one of them` } : await readSecret(file);
    if ('text' in content) resolved[name] = content.text;
    else failed.set(name, { name: variable, value: JSON.stringify(file), problem: content.problem });
  }
  return failed;
}

async function readSecret(file: string): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    return text === '' ? { problem: 'names a file that is empty' } : { text };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return { problem: `cannot be read: ${FILE_PROBLEMS[code] ?? code}` };
  }
}

/** Only what stands in the environment is a reference; a secret from a file is what it is. */
async function readVault(env: NodeJS.ProcessEnv, resolved: NodeJS.ProcessEnv, names: readonly string[]): Promise<Failed> {
  const referring = names.filter((name) => isVaultReference(env[name] ?? ''));
  if (referring.length === 0) return new Map();
  const failed = new Map<string, SettingProblem>();
  const read = lookUp(resolved);
  await Promise.all(
    referring.map(async (name) => {
      // Not the reference: it has no place where the secret belongs.
      delete resolved[name];
      await read(env[name]!).then((text) => (resolved[name] = text), (error: unknown) => failed.set(name, describe(name, env, error)));
    }),
  );
  return failed;
}

/** Reads secrets by their references; logs in once, and asks for each path once. */
function lookUp(env: NodeJS.ProcessEnv): (value: string) => Promise<string> {
  const secrets = new Map<string, ReturnType<Vault['read']>>();
  let vault: Promise<Vault> | undefined;
  return async (value) => {
    const reference = parseVaultReference(value);
    if (!reference) throw new VaultFailure('is no reference to Vault: write vault:<mount>/<path>#<key>');
    vault ??= Vault.open(readSettings(env, vaultSettings)[0]);
    const opened = await vault;
    const where = `${reference.mount}/${reference.path}`;
    const secret = secrets.get(where) ?? opened.read(reference);
    secrets.set(where, secret);
    const text = (await secret)[reference.key];
    if (typeof text === 'string' && text !== '') return text;
    throw new VaultFailure(text === undefined ? `has no such key: the secret has ${Object.keys(await secret).join(', ') || 'none'}` : 'is no text, or empty, in Vault');
  };
}

function describe(name: string, env: NodeJS.ProcessEnv, error: unknown): SettingProblem {
  // The settings of Vault themselves are wrong. Those that follow are among everything else that is wrong.
  if (error instanceof InvalidSettings) return error.problems[0]!;
  if (!(error instanceof VaultFailure)) throw error;
  const { setting, message } = error;
  if (setting !== undefined) return { name: setting, value: shown(setting, env), problem: message };
  // What only looks like a reference may be a secret.
  return { name, value: parseVaultReference(env[name]!) ? env[name]! : '(hidden)', problem: message };
}

function shown(setting: keyof typeof vaultSettings, env: NodeJS.ProcessEnv): string {
  const value = env[setting];
  if (!value) return '(unset)';
  return setting === 'VAULT_ADDR' && URL.canParse(value) ? JSON.stringify(new URL(value).origin) : '(hidden)';
}

function problemsOf(env: NodeJS.ProcessEnv, sets: readonly SettingDefinitions[]): readonly SettingProblem[] {
  try {
    readSettings(env, ...sets);
    return [];
  } catch (error) {
    if (error instanceof InvalidSettings) return error.problems;
    throw error;
  }
}
