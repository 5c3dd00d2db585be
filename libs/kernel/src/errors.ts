/**
 * What kind of refusal an error is. Every border (HTTP, NATS, CLI) maps the kind, never the class,
 * so an error answers the same from another process.
 *
 * - `invalid`: the input breaks a rule that the caller could have known (HTTP 422)
 * - `not-found`: no such thing (404)
 * - `conflict`: the state of the thing does not allow it, or somebody was faster (409)
 * - `forbidden`: the caller may not (403)
 * - `unavailable`: the owner of the answer cannot be reached; trying again later may help (503)
 */
export type ErrorKind = 'invalid' | 'not-found' | 'conflict' | 'forbidden' | 'unavailable';

/** A refusal that the caller should see: a stable code, a sentence, and facts about it. */
export class DomainError extends Error {
  /**
   * @param kind which family of refusal, see {@link ErrorKind}
   * @param code stable name, `<context>.<what-happened>`, part of the public API
   * @param message one sentence for a person: what was wrong and what to do
   * @param details JSON-safe facts for a program
   */
  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = new.target.name;
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
