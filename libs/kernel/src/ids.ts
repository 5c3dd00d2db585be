import { randomUUID } from 'node:crypto';

let lastMs = 0;
let sequence = 0;

/**
 * A UUID version 7: 48 bits of Unix milliseconds, then a 12 bit counter that keeps ids of one process in
 * order within a millisecond, then 62 random bits. Source: RFC 9562, section 5.7 and method 1 of section 6.2.
 */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now;
    sequence = Number.parseInt(randomUUID().slice(0, 3), 16) >> 1;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  // Its random bits come from a pool: asking the system for each id would cost more than all the rest.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${randomUUID().slice(19)}`;
}
