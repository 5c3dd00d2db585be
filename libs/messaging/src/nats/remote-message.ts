import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import { DomainError } from '@nestbox/kernel';
import { remoteErrors } from './errors.js';
import type { ServedMessage } from './remote-server.js';
import type { RequestKind } from './subjects.js';

/** What is wrong with one field of a message. */
export interface Violation {
  /** `lines.0.quantity` */
  readonly path: string;
  readonly message: string;
}

/**
 * The command or query in a request: an object of its class, checked by the decorators of its fields. Unknown fields
 * are refused.
 * @throws DomainError `messaging.malformed-request`, `messaging.unknown-message`, `messaging.invalid-message` (kind `invalid`)
 */
export async function readMessage(
  subject: string,
  data: Uint8Array,
  served: ReadonlyMap<string, ServedMessage>,
): Promise<{ id: unknown; kind: RequestKind; message: object }> {
  const { id, data: fields = {} } = readPacket(data);
  if (!isObject(fields)) throw malformed('its data is not a JSON object');
  const found = served.get(subject);
  if (!found) throw new DomainError(remoteErrors.unknownMessage, `Nothing here answers ${subject}. Check the name, and that both sides run the same version.`);
  const message = plainToInstance(found.message, fields);
  // A message without fields has no decorators: that alone makes it no unknown value.
  const errors = await validate(message, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false, validationError: { target: false, value: false } });
  if (errors.length > 0) {
    const violations = errors.flatMap((error) => violationsOf(error, ''));
    const first = violations[0]!;
    throw new DomainError(remoteErrors.invalidMessage, `${found.message.type} is not valid: ${first.message} (${first.path}).`, { violations });
  }
  return { id, kind: found.kind, message };
}

/**
 * The packet of a request: `{ pattern, data, id }` of a Nest client, or the bare data of anybody else.
 * @throws DomainError `messaging.malformed-request`
 */
export function readPacket(bytes: Uint8Array): { id?: unknown; data: unknown } {
  let packet: unknown;
  try {
    packet = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw malformed(`it is not JSON (${(error as Error).message})`);
  }
  if (!isObject(packet)) throw malformed('it is not a JSON object');
  return 'pattern' in packet || 'data' in packet ? { id: packet['id'], data: packet['data'] } : { data: packet };
}

function malformed(what: string): DomainError {
  return new DomainError(remoteErrors.malformedRequest, `The request cannot be read: ${what}.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function violationsOf(error: ValidationError, parent: string): Violation[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ path, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => violationsOf(child, path))];
}
