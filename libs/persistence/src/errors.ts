import { type Aggregate, currentTenant, DomainError, type ErrorDefinition, UsageError } from '@nestbox/kernel';

/**
 * Somebody else changed the same aggregate first. The command bus runs the command again from the start, with a
 * fresh load; a caller sees it only when that kept failing until the deadline.
 */
export class ConcurrencyConflict extends DomainError {
  static readonly definition = {
    code: 'persistence.concurrency-conflict', kind: 'conflict', title: 'Changed at the same time',
    cause: 'Somebody else changed the same thing at the same time, again and again, until the time of the request was over.',
    cure: 'Read it again, and repeat the request if it still makes sense.',
  } as const satisfies ErrorDefinition;

  constructor(what: string, options?: { cause?: unknown }) {
    super(ConcurrencyConflict.definition, `${what} was changed by somebody else at the same time. Load it again and repeat.`);
    this.cause = options?.cause;
  }
}

/** The caller has required a version of an aggregate that is not the one that is stored. */
export class VersionMismatch extends DomainError {
  static readonly definition = {
    code: 'persistence.version-mismatch', kind: 'precondition-failed', title: 'Changed since it was read',
    cause: 'The request was made for another version of the thing than the one that is there now. Nothing was changed.',
    cure: 'Read it again, and repeat the request with its new `ETag` if it still makes sense.',
  } as const satisfies ErrorDefinition;

  constructor(what: string, version: number) {
    super(VersionMismatch.definition, `${what} has version ${version} now, which the request was not made for. Read it again, and repeat the request if it still makes sense.`, { version });
  }
}

/** The connection broke while a transaction was being committed, and the database could not be asked what became of it. */
export class OutcomeUnknown extends DomainError {
  static readonly definition = {
    code: 'persistence.outcome-unknown', kind: 'unavailable', title: 'Outcome not known',
    cause: 'The connection to the database broke while the change was being committed, and the database could not be asked what became of it.',
    cure: 'Read what you have changed before you repeat the request: the change may have been made.',
  } as const satisfies ErrorDefinition;

  constructor(context: string, options?: { cause?: unknown }) {
    super(
      OutcomeUnknown.definition,
      `The connection to the database of "${context}" broke during the commit: the change may or may not have been made. Look before you repeat it.`,
    );
    this.cause = options?.cause;
  }
}

/** The database of a context cannot be reached, or is out of connections, memory or disk. */
export class DatabaseUnavailable extends DomainError {
  static readonly definition = {
    code: 'persistence.database-unavailable', kind: 'unavailable', title: 'Database not available',
    cause: 'The database that knows the answer cannot be reached, or is out of connections, memory or disk. Nothing was changed.',
    cure: 'Try again in a moment.',
  } as const satisfies ErrorDefinition;

  constructor(context: string, options?: { cause?: unknown }) {
    super(DatabaseUnavailable.definition, `The database of "${context}" cannot be reached, or takes no more work, at the moment. Try again.`);
    this.cause = options?.cause;
  }
}

/** There is no aggregate with this id, and its repository has no error of its own for that. */
export class AggregateNotFound extends DomainError {
  static readonly definition = {
    code: 'persistence.aggregate-not-found', kind: 'not-found', title: 'Not found',
    cause: 'Nothing is stored under this id.',
    cure: 'Check the id.',
  } as const satisfies ErrorDefinition;

  constructor(type: string, id: string) {
    super(AggregateNotFound.definition, `There is no ${type} "${id}".`, { type, id });
  }
}

/** Every refusal of this library. */
export const persistenceErrors = [ConcurrencyConflict, VersionMismatch, OutcomeUnknown, DatabaseUnavailable, AggregateNotFound] as const;

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

/** Work for one tenant got hold of what another one has. */
export class AnotherTenant extends UsageError {
  constructor(aggregate: Aggregate, what: string) {
    super(
      `${aggregate.constructor.name} "${aggregate.id}" belongs to the tenant "${aggregate.tenantId}", but ${what} by work for "${currentTenant()}".`,
      'load it, or make it, in the work that is for its tenant: inside withMessage({ tenantId, … }).',
    );
  }

  /** @throws AnotherTenant when the aggregate has a tenant, and it is not the current one */
  static refuse(aggregate: Aggregate, what: string): void {
    if (aggregate.tenantId !== '' && aggregate.tenantId !== currentTenant()) throw new AnotherTenant(aggregate, what);
  }
}

/** A repository was asked to write where no unit of work is open. */
export class NoUnitOfWork extends UsageError {
  constructor(what: string) {
    super(`${what} needs a unit of work, and none is open.`, 'call it from a command handler or an event handler, or inside UnitOfWork.run(…).');
  }
}

/** Somebody gave the connection back inside a transaction: what is written now is not committed, and must not be later. */
export class TransactionLeftOpen extends UsageError {
  constructor() {
    super('A connection came out of the pool with a transaction that was begun by somebody and never ended, so nothing was stored.', 'commit or roll back before a connection is given back to the pool.');
  }
}
