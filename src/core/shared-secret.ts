import { hkdfSync, randomBytes } from 'node:crypto';

/** A key for one purpose, 32 bytes, out of the secret that all processes share; a random one without it. Source: RFC 5869. */
export function keyFor(purpose: string, secret: string | undefined): Buffer {
  return secret === undefined ? randomBytes(32) : Buffer.from(hkdfSync('sha256', secret, '', `nestbox ${purpose}`, 32));
}
