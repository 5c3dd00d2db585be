/**
 * What kind of refusal an error is. Every border (HTTP, NATS, CLI) maps the kind, never the class,
 * so an error answers the same from another process.
 *
 * - `invalid`: the input breaks a rule that the caller could have known (HTTP 422)
 * - `unauthenticated`: it is not known who the caller is (401)
 * - `forbidden`: the caller may not (403)
 * - `not-found`: no such thing (404)
 * - `conflict`: the state of the thing does not allow it, or somebody was faster (409)
 * - `precondition-failed`: the thing is not as the caller has required it to be (412)
 * - `rate-limited`: the caller asks too often (429)
 * - `unavailable`: the owner of the answer cannot be reached; trying again later may help (503)
 * - `timeout`: the time for the answer was over before it was there (504)
 */
export const ERROR_KINDS = ['invalid', 'unauthenticated', 'forbidden', 'not-found', 'conflict', 'precondition-failed', 'rate-limited', 'unavailable', 'timeout'] as const;

export type ErrorKind = (typeof ERROR_KINDS)[number];

/** What a kind of error is to whoever gets one: plain data, written once, beside the error. */
export interface ErrorDefinition {
  /** Stable name, `<context>.<what-happened>`, part of the public API. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** A few words, the same for every occurrence. */
  readonly title: string;
  /** Why it happens: a sentence for a person. */
  readonly cause: string;
  /** What to do about it: a sentence for a person. */
  readonly cure: string;
}

/** A definition, or the class that has it. */
export type DefinedError<D extends Pick<ErrorDefinition, 'code'> = ErrorDefinition> = D | { readonly definition: D };

/** The definition of an error that was named by its class. */
export function definitionOf<D extends Pick<ErrorDefinition, 'code'>>(error: DefinedError<D>): D {
  return 'definition' in error ? error.definition : error;
}

/**
 * A refusal that the caller should see: a stable code, a sentence, and facts about it.
 *
 * ```ts
 * export class OrderNotFound extends DomainError {
 *   static readonly definition = {
 *     code: 'ordering.order-not-found', kind: 'not-found', title: 'Order not found',
 *     cause: 'There is no order with this id.', cure: 'Use the id from the answer to the order.',
 *   } as const satisfies ErrorDefinition;
 *   constructor(id: string) {
 *     super(OrderNotFound.definition, `There is no order "${id}".`, { orderId: id });
 *   }
 * }
 * ```
 */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;

  /**
   * @param definition of this kind of error; of one that came from another process, what has travelled with it
   * @param message one sentence for a person: what was wrong this time and what to do
   * @param details JSON-safe facts for a program
   */
  constructor({ kind, code }: Pick<ErrorDefinition, 'kind' | 'code'>, message: string, readonly details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = new.target.name;
    this.kind = kind;
    this.code = code;
  }
}

/**
 * A mistake in the program or its set-up, found at boot or at the first wrong call. The message says what is
 * wrong, where, and what to do; it is written for the developer and never shown to a caller.
 */
export class UsageError extends Error {
  constructor(what: string, readonly cure: string) {
    super(`${what}\n  What to do: ${cure}`);
    this.name = new.target.name;
  }
}
