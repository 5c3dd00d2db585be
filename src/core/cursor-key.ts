import { randomBytes } from 'node:crypto';

/**
 * The key that seals cursors, 32 bytes. Processes behind one load balancer must have the same one, and with a new one the cursors
 * that callers still have lead nowhere: they start again with the first page.
 */
export function cursorKey(): Buffer {
  return randomBytes(32);
}
