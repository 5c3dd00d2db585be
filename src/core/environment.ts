import { existsSync } from 'node:fs';

/** The environment of this process, with what the file `.env` of the working directory adds to it. */
export function environment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}
