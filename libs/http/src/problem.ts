import { HttpException } from '@nestjs/common';
import { DomainError, type ErrorKind } from '@nestbox/kernel';

/** One field of a request that breaks a rule. */
export interface FieldProblem {
  /** JSON Pointer (RFC 6901) to the field. */
  readonly pointer: string;
  readonly detail: string;
}

/** An error as the API says it. Source: RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Path of the request that it is about. */
  readonly instance: string;
  /** Stable name of the error, for programs. */
  readonly code: string;
  /** Correlation id of the request, to be found in the logs. */
  readonly traceId?: string;
  /** Facts for a program. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldProblem[];
}

/** The body of a request, or its parameters, break rules. */
export class InvalidRequest extends HttpException {
  constructor(readonly errors: readonly FieldProblem[]) {
    super('The request breaks a rule; `errors` says which fields and why.', 400);
  }
}

const STATUS: Readonly<Record<ErrorKind, number>> = { invalid: 422, 'not-found': 404, conflict: 409, forbidden: 403, unavailable: 503 };

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request', 401: 'Not authenticated', 403: 'Forbidden', 404: 'Not found', 405: 'Method not allowed', 409: 'Conflict',
  413: 'Too large', 415: 'Unsupported media type', 422: 'Not acceptable as it is', 429: 'Too many requests',
  500: 'Internal error', 503: 'Not available at the moment',
};

/** What is known about a request whatever went wrong; `instance` is its URL. */
type Facts = Pick<Problem, 'instance' | 'traceId'>;

/** What the caller is told about an error; nothing internal leaves. */
export function problemOf(error: unknown, facts: Facts): Problem {
  if (error instanceof DomainError) {
    const { errors, ...details } = error.details;
    return build(STATUS[error.kind], error.code, error.message, facts, { errors: fieldProblems(errors), details });
  }
  if (error instanceof InvalidRequest) return build(400, 'http.invalid-request', error.message, facts, { errors: error.errors });
  const status = statusOf(error);
  if (status < 500) return build(status, codeOf(status), (error as Error).message, facts);
  // Above, only what was thrown for the caller on purpose is told: a health check that says what is missing, for example.
  if (error instanceof HttpException && status > 500) return build(status, codeOf(status), error.message, facts, { details: factsOf(error) });
  return build(500, codeOf(500), 'Something went wrong on our side. The logs have the reason under the trace id.', facts);
}

function codeOf(status: number): string {
  return `http.${(TITLES[status] ?? 'refused').toLowerCase().replaceAll(' ', '-')}`;
}

/** What an exception says besides the members that Nest gives to every one. */
function factsOf(error: HttpException): Readonly<Record<string, unknown>> {
  const response = error.getResponse();
  if (typeof response === 'string') return {};
  const { message: _message, error: _error, statusCode: _statusCode, ...facts } = response as Record<string, unknown>;
  return facts;
}

/** The status that Nest or Fastify gave the error; 500 for everything else. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const statusCode = (error as { statusCode?: unknown } | undefined | null)?.statusCode;
  return typeof statusCode === 'number' && statusCode >= 400 ? statusCode : 500;
}

/** A remote context reports broken fields among the details of its error. */
function fieldProblems(errors: unknown): readonly FieldProblem[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter((error): error is FieldProblem => typeof error?.pointer === 'string' && typeof error?.detail === 'string');
}

function build(status: number, code: string, detail: string, facts: Facts, more: Pick<Problem, 'errors' | 'details'> = {}): Problem {
  const { errors = [], details = {} } = more;
  return {
    type: `/problems/${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    code,
    ...facts,
    // Without the query: it may have what should not be in a log of answers.
    instance: facts.instance.replace(/\?.*/s, ''),
    ...(errors.length > 0 && { errors }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}
