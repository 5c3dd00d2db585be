import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller, TokenReader } from '@nestbox/http';
import { OPERATIONS_PERMISSION } from '@nestbox/messaging';

const operator: Caller = { identity: { subject: 'admin-token', permissions: [OPERATIONS_PERMISSION] } };

/** Knows whoever sends the ADMIN_TOKEN: they may operate the system, and nothing else. */
export function adminTokenReader(token: string): TokenReader {
  const expected = digest(token);
  // The time that the comparison takes says nothing about the token but its length. Most tokens are of another, and of another kind.
  return (given) => (given.length === token.length && timingSafeEqual(digest(given), expected) ? operator : undefined);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
