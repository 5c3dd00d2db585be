import { randomBytes } from 'node:crypto';
import { isSet } from './project.ts';

/** The environment with a token for `/admin` that nobody else knows: made for this start, and shown, unless there is one. */
export function withAdminToken(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return isSet(env, 'ADMIN_TOKEN') ? { ...env } : { ...env, ADMIN_TOKEN: randomBytes(24).toString('base64url'), ADMIN_TOKEN_SHOW: 'true' };
}
