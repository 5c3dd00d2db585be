import { DeadlineExceeded, definitionOf, type DefinedError, moneyErrors } from '@nestbox/kernel';
import { type GeneralProblems, httpProblems, type ProblemCatalogue, problemCatalogue } from '@nestbox/http';
import { contextDefinitionOf, contextErrors, IdempotencyKeyReused, messagingErrors, NotAuthenticated, PermissionMissing, remoteErrors, RequestInProgress } from '@nestbox/messaging';
import { ConcurrencyConflict, DatabaseUnavailable, OutcomeUnknown, persistenceErrors, VersionMismatch } from '@nestbox/persistence';
import { adminErrors } from '../admin/admin.errors.js';
import { cliErrors } from '../cli/cli.errors.js';
import { contexts } from '../contexts.js';

/**
 * Every error of the application, by its code. Each process knows all of them, whatever contexts it has: errors of the others come
 * to it over NATS. @throws UsageError
 */
export function applicationProblems(): ProblemCatalogue {
  const ofContexts = Object.values(contexts).flatMap((module) => contextErrors(contextDefinitionOf(module)!));
  const ofLibraries: DefinedError[] = [DeadlineExceeded, ...Object.values(moneyErrors), ...persistenceErrors, ...messagingErrors];
  return problemCatalogue([...ofContexts, ...ofLibraries.map(definitionOf), ...Object.values(adminErrors), ...Object.values(cliErrors)]);
}

/** Where every operation depends on: its context, wherever that is, and its database. */
export const generalProblems: GeneralProblems = {
  secured: [NotAuthenticated, PermissionMissing],
  always: [httpProblems.invalidToken, DatabaseUnavailable, DeadlineExceeded, remoteErrors.contextUnavailable, remoteErrors.contextOverloaded, remoteErrors.contextTimeout],
  writing: [ConcurrencyConflict, IdempotencyKeyReused, OutcomeUnknown, RequestInProgress],
  conditional: [VersionMismatch],
};
