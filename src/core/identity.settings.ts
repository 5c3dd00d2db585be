import type { SettingDefinitions } from '@nestbox/kernel';
import { JWT_ALGORITHMS } from '@nestbox/http';

/** Settings that say whose tokens are believed. Services without the API need none. */
export const identitySettings = {
  JWT_ISSUER: { type: 'string', optional: true, description: 'What the claim `iss` of a token must be.' },
  JWT_AUDIENCE: { type: 'string', optional: true, description: 'What the claim `aud` of a token must be, or contain.' },
  JWT_JWKS_URL: { type: 'url', protocols: ['https:', 'http:'], optional: true, description: 'Where the issuer publishes its keys (a JWK Set). Keys from elsewhere, above all from the token itself, are never used.' },
  JWT_PUBLIC_KEY: { type: 'string', optional: true, description: 'The one public key of the issuer in PEM, instead of JWT_JWKS_URL; `\\n` stands for the end of a line. JWT_ALGORITHMS then names its algorithm.' },
  JWT_ALGORITHMS: { type: 'string', default: JWT_ALGORITHMS.join(','), description: `Algorithms that are believed, separated by commas: ${JWT_ALGORITHMS.join(', ')}.` },
  JWT_TENANT_CLAIM: { type: 'string', default: 'tenant', description: 'Name of the claim that says whose data it is. A token without it is refused. `-`: tokens say nothing of it, and there is one tenant.' },
  JWT_PERMISSIONS_CLAIM: { type: 'string', default: 'permissions', description: 'Name of the claim with the permissions: an array, or one text with blanks in between, like `scope`.' },
  DEV_ISSUER: { type: 'boolean', default: false, description: 'Issue tokens to whoever asks, at `POST /dev/token`, instead of believing those of JWT_ISSUER. Refused with NODE_ENV=production. `npm start` sets it when there is no JWT_ISSUER.' },
} as const satisfies SettingDefinitions;
