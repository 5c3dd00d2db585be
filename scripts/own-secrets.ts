import { randomBytes } from 'node:crypto';
import { isSet } from './project.ts';

/**
 * The environment with what a system for development needs and nobody should choose: secrets that are made for this start unless
 * they are set, and tokens for whoever asks unless an issuer is named, or this is production.
 */
export function withOwnSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...env,
    ...(!isSet(env, 'SERVICE_KEY') && { SERVICE_KEY: randomBytes(32).toString('base64url') }),
    // Nobody else knows it, so it may be shown.
    ...(!isSet(env, 'ADMIN_TOKEN') && { ADMIN_TOKEN: randomBytes(24).toString('base64url'), ADMIN_TOKEN_SHOW: 'true' }),
    ...(!isSet(env, 'DEV_ISSUER') && !isSet(env, 'JWT_ISSUER') && env['NODE_ENV'] !== 'production' && { DEV_ISSUER: 'true' }),
  };
}
