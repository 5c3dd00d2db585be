import { DomainError, ERROR_KINDS, type ErrorKind } from '@nestbox/kernel';

/** An error as it travels. Only what a caller may see: for anything but a refusal, that there was an error. */
export interface RemoteError {
  readonly kind?: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The owner of a context failed in a way that is no answer. What happened stands in its own log. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly code = 'internal';
}

export function encodeError(error: unknown, subject: string, correlationId: string): RemoteError {
  if (error instanceof DomainError) {
    const { kind, code, message, details } = error;
    return { kind, code, message, details };
  }
  return { code: 'internal', message: `${subject} failed; the log of its owner says why (correlation id ${correlationId}).` };
}

/** The error that {@link encodeError} was given: the same kind, code, message and details. Its class need not be in this process. */
export function decodeError(travelled: unknown, subject: string): Error {
  const error = (typeof travelled === 'object' && travelled !== null ? travelled : { message: String(travelled) }) as Partial<RemoteError>;
  const message = typeof error.message === 'string' ? error.message : `${subject} failed.`;
  const kind = ERROR_KINDS.find((known) => known === error.kind);
  if (!kind || typeof error.code !== 'string') return new RemoteFailure(message);
  return new DomainError({ kind, code: error.code }, message, error.details ?? {});
}
