import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { explainSettings } from '@nestbox/ops';
import { readApplicationSettings, settingSections } from '../core/settings.js';
import { print, table } from './output.js';

export interface ConfigOptions {
  readonly explain: boolean;
  readonly json: boolean;
}

/** `config`: checks the settings, also that secrets can be had. With `--explain` it lists them first, right or wrong. */
export async function config({ explain, json }: ConfigOptions): Promise<void> {
  if (explain) {
    const dotEnv = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
    const settings = explainSettings(settingSections, process.env, dotEnv);
    print(json, { settings }, () => table(['setting', 'value', 'from', 'meaning'], settings.map(({ name, value, from, description }) => [name, value, from, description])));
  }
  await readApplicationSettings(process.env);
  if (!explain) print(json, { ok: true }, () => 'The settings are right, and every secret can be had.');
}
