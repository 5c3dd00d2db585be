import { type DefinedError, errorCatalogue, type ErrorDefinition, type ErrorKind } from '@nestbox/kernel';
import { type HttpProblem, httpProblems } from './http-problems.js';

/** What a problem is, whenever it is answered: an error of the domain, or of HTTP itself. */
export type ProblemDefinition = ErrorDefinition | HttpProblem;

/** Every problem that a server may answer, by its code. */
export type ProblemCatalogue = ReadonlyMap<string, ProblemDefinition>;

/** A problem as the catalogue shows it. */
export interface ProblemEntry extends Omit<ErrorDefinition, 'kind'> {
  /** Path of its page; the `type` of each occurrence. */
  readonly type: string;
  readonly status: number;
  /** Kind of a domain error; missing where it is about HTTP alone. */
  readonly kind?: ErrorKind;
}

const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 422, unauthenticated: 401, forbidden: 403, 'not-found': 404, conflict: 409, 'precondition-failed': 412, 'rate-limited': 429, unavailable: 503, timeout: 504,
};

const TITLES: Readonly<Record<ErrorKind, string>> = {
  invalid: 'Not acceptable as it is', unauthenticated: 'Not authenticated', forbidden: 'Forbidden', 'not-found': 'Not found', conflict: 'Conflict',
  'precondition-failed': 'Precondition failed', 'rate-limited': 'Too many requests', unavailable: 'Not available at the moment', timeout: 'No answer in time',
};

/**
 * The problems of a server: those of HTTP, and the errors of its contexts and libraries.
 * @throws UsageError for a code that breaks the rule of names, or stands for two errors
 */
export function problemCatalogue(errors: Iterable<DefinedError> = []): ProblemCatalogue {
  return errorCatalogue<ProblemDefinition>([...Object.values(httpProblems), ...errors]);
}

/** The status that each kind of error is answered with. */
export function statusOfKind(kind: ErrorKind): number {
  return STATUS[kind];
}

/** The title of an error that is in no catalogue here, because another process knows more than this one. */
export function titleOfKind(kind: ErrorKind): string {
  return TITLES[kind];
}

/** The page of a problem. */
export function problemPath(code: string): string {
  return `/problems/${code}`;
}

/** A problem with everything that follows from its definition. */
export function problemEntry(definition: ProblemDefinition): ProblemEntry {
  const { code, title, cause, cure } = definition;
  const how = 'status' in definition ? { status: definition.status } : { status: STATUS[definition.kind], kind: definition.kind };
  return { type: problemPath(code), code, title, ...how, cause, cure };
}
