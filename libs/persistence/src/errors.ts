import { DomainError, UsageError } from '@nestbox/kernel';

/**
 * Somebody else changed the same aggregate first. The command bus runs the command again from the start, with a
 * fresh load; a caller sees it only when that kept failing until the deadline.
 */
export class ConcurrencyConflict extends DomainError {
  constructor(what: string, options?: { cause?: unknown }) {
    super('conflict', 'persistence.concurrency-conflict', `${what} was changed by somebody else at the same time. Load it again and repeat.`);
    this.cause = options?.cause;
  }
}

/** The connection broke while a transaction was being committed, and the database could not be asked what became of it. */
export class OutcomeUnknown extends DomainError {
  constructor(context: string, options?: { cause?: unknown }) {
    super(
      'unavailable',
      'persistence.outcome-unknown',
      `The connection to the database of "${context}" broke during the commit: the change may or may not have been made. Look before you repeat it.`,
    );
    this.cause = options?.cause;
  }
}

/** The database of a context cannot be reached. */
export class DatabaseUnavailable extends DomainError {
  constructor(context: string, options?: { cause?: unknown }) {
    super('unavailable', 'persistence.database-unavailable', `The database of "${context}" cannot be reached at the moment. Try again.`);
    this.cause = options?.cause;
  }
}

/** A unit of work was used after it had ended, usually by a promise that nobody awaited. */
export class UnitOfWorkEnded extends UsageError {
  constructor(context: string, what: string) {
    super(`The unit of work of "${context}" had already ended when ${what}.`, 'await every promise inside the handler before it returns.');
  }
}

/** Code of one context tried to work inside the unit of work of another. */
export class ForeignUnitOfWork extends UsageError {
  constructor(wanted: string, open: string, what: string) {
    super(
      `${what} belongs to the context "${wanted}", but a unit of work of "${open}" is open: two contexts never share a transaction, in one process as in several.`,
      `call it before or after, or let "${wanted}" react to an event of "${open}".`,
    );
  }
}

/** A repository was asked to write where no unit of work is open. */
export class NoUnitOfWork extends UsageError {
  constructor(what: string) {
    super(`${what} needs a unit of work, and none is open.`, 'call it from a command handler or an event handler, or inside UnitOfWork.run(…).');
  }
}
