import { httpProblems } from './http-problems.js';
import { HttpRefusal } from './problem.js';

const KEY = /^(?:"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"|([\x21\x23-\x7e]{1,255}))$/;

/** Whether a request with this method changes something each time it comes; the others need no key. */
export function takesIdempotencyKey(method: string): boolean {
  return ['POST', 'PUT', 'PATCH'].includes(method.toUpperCase());
}

/** The key of a command: a string of RFC 8941, in quotes, or the same without them; what is wrong with it, if it is neither. */
export function readIdempotencyKey(header: string | string[] | undefined): string | HttpRefusal | undefined {
  if (header === undefined) return undefined;
  const [, quoted, bare] = KEY.exec(String(header)) ?? [];
  const key = quoted?.replaceAll(/\\(["\\])/g, '$1') ?? bare;
  return key ?? new HttpRefusal(httpProblems.invalidIdempotencyKey, 'The header Idempotency-Key must be one text of 1 to 255 printable ASCII characters, in double quotes or without blanks and quotes; a UUID is a good choice.');
}
