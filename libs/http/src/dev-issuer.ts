import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { jwtReader } from './jwt.js';
import type { TokenReader } from './authentication.js';

/** What a token for development is to say. */
export interface DevClaims {
  readonly subject: string;
  readonly tenantId: string;
  readonly permissions: readonly string[];
}

/** How long a token of it is good, in s: a working day. */
export const DEV_TOKEN_SECONDS = 12 * 60 * 60;

const NAME = 'nestbox-dev';
/** RFC 8410: what comes before the 32 bytes of an Ed25519 private key in PKCS #8. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Issues tokens to whoever asks, for development: it knows nobody. Its key is made of a secret:
 * processes with the same one believe each other's tokens.
 */
export class DevIssuer {
  private readonly key: KeyObject;

  /** @param seed 32 secret bytes */
  constructor(seed: Buffer) {
    this.key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
  }

  /** A token as {@link reader} reads it. */
  issue({ subject, tenantId, permissions }: DevClaims): Promise<string> {
    return new SignJWT({ tenant: tenantId, permissions })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setIssuer(NAME)
      .setAudience(NAME)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(`${DEV_TOKEN_SECONDS} s`)
      .sign(this.key);
  }

  /** Reads the tokens of this issuer. */
  reader(): Promise<TokenReader> {
    return jwtReader({ keys: createPublicKey(this.key), issuer: NAME, audience: NAME, algorithms: ['EdDSA'], tenantClaim: 'tenant', permissionsClaim: 'permissions' });
  }
}
