import { randomUUID } from 'node:crypto';

let lastMs = 0;
let sequence = 0;
/** `lastMs` as the id begins with it: ids of the same millisecond share it. */
let prefix = '';

/**
 * A UUID version 7: 48 bits of Unix milliseconds, then a 12 bit counter that keeps ids of one process in
 * order within a millisecond, then 62 random bits. Source: RFC 9562, section 5.7 and method 1 of section 6.2.
 */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    prefix = prefixOf((lastMs = now));
    sequence = Number.parseInt(randomUUID().slice(0, 3), 16) >> 1;
  } else if (++sequence > 0xfff) {
    prefix = prefixOf((lastMs += 1));
    sequence = 0;
  }
  // Its random bits come from a pool: asking the system for each id would cost more than all the rest.
  return `${prefix}${sequence.toString(16).padStart(3, '0')}-${randomUUID().slice(19)}`;
}

function prefixOf(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7`;
}
