import { createHmac, timingSafeEqual } from 'node:crypto';
import type { MsgHdrs } from '@nats-io/transport-node';
import { DomainError, UsageError } from '@nestbox/kernel';
import { remoteErrors } from './errors.js';
import { SEALED_HEADERS } from './message-headers.js';

const SIGNATURE = 'Nestbox-Signature';
const FORMAT = 'v1';
/** Clocks of two machines may differ by this much, and a request may be under way for as long, in ms. */
const FRESH_MS = 5 * 60_000;
const LEAST_KEY_BYTES = 32;

/**
 * Signs requests between services, and believes none that is not signed: HMAC-SHA-256 over subject, time, all headers that the
 * work depends on (caller, tenant, key, deadline) and the body, under a key that the services of a system share.
 * It says "one of us has sent this, to this subject, within these minutes". It does not say which of us, and whoever may read
 * and write on NATS can repeat a request within these minutes: an Idempotency-Key makes that harmless for commands.
 * Source: RFC 2104.
 */
export class RequestSeal {
  private readonly key: Buffer;

  /** @param key text of at least 32 bytes, from a generator of random numbers. @throws UsageError for a shorter one, and for none */
  constructor(key: string | undefined) {
    if (key === undefined) throw new UsageError('There is no SERVICE_KEY: this service could not tell requests of other services from forged ones.', 'make one, for example with "openssl rand -base64 32", and give it to every service of the system.');
    this.key = Buffer.from(key);
    if (this.key.length < LEAST_KEY_BYTES) throw new UsageError(`SERVICE_KEY has ${this.key.length} characters, which can be guessed.`, 'make one of at least 32, for example with "openssl rand -base64 32", and give it to every service.');
  }

  /** Adds the signature to the headers of a request. */
  sign(subject: string, headers: MsgHdrs, body: string | Uint8Array): void {
    const sentAt = String(Date.now());
    headers.set(SIGNATURE, `${FORMAT},${sentAt},${this.digest(subject, sentAt, headers, body).toString('base64url')}`);
  }

  /** @throws DomainError `messaging.untrusted-request` (kind `unauthenticated`) for a request that no service of this system has sent as it is */
  verify(subject: string, headers: MsgHdrs | undefined, body: Uint8Array): void {
    const given = headers?.get(SIGNATURE);
    if (!headers || !given) throw untrusted('it is not signed');
    const [format, sentAt = '', signature = ''] = given.split(',');
    if (format !== FORMAT) throw untrusted(`its signature is of the form "${format}", and this service knows "${FORMAT}"`);
    const expected = this.digest(subject, sentAt, headers, body);
    const actual = Buffer.from(signature, 'base64url');
    if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) throw untrusted('its signature does not fit what it says');
    const age = Date.now() - Number(sentAt);
    if (Math.abs(age) > FRESH_MS) throw untrusted(`by its sender's clock it was sent ${Math.abs(Math.round(age / 1_000))} s ${age > 0 ? 'ago' : 'from now'}`);
  }

  private digest(subject: string, sentAt: string, headers: MsgHdrs, body: string | Uint8Array): Buffer {
    const covered = [subject, sentAt, ...SEALED_HEADERS.map((name) => headers.get(name))];
    // JSON keeps one part from reaching into the next.
    return createHmac('sha256', this.key).update(JSON.stringify(covered)).update('\n').update(body).digest();
  }
}

function untrusted(why: string): DomainError {
  return new DomainError(remoteErrors.untrustedRequest, `The request is refused: ${why}. Its sender needs the SERVICE_KEY of this system, and a clock that is right.`);
}
