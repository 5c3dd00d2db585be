import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of package.json. */
export const projectRoot = path.join(import.meta.dirname, '..');

/** Reads `.env` when there is one; what the environment already says wins. */
export function loadDotEnv(): void {
  const file = path.join(projectRoot, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}

/** Whether a setting has a value, or a file that has it. */
export function isSet(env: NodeJS.ProcessEnv, name: string): boolean {
  return Boolean(env[name] || env[`${name}_FILE`]);
}

/** Ends the program with one line for a person: an error of the set-up is no crash, and has no stack. */
export function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message.replace(/\.?\n\s*What to do:/, '. What to do:'));
  process.exit(1);
}
