import { HttpException } from '@nestjs/common';
import { DomainError } from '@nestbox/kernel';
import { type HttpProblem, httpProblems, problemOfStatus } from './http-problems.js';
import { type ProblemCatalogue, problemPath, statusOfKind, titleOfKind } from './problem-catalogue.js';

/** One field of a request that breaks a rule. */
export interface FieldProblem {
  /** JSON Pointer (RFC 6901) to the field. */
  readonly pointer: string;
  readonly detail: string;
}

/** An error as the API says it. Source: RFC 9457. */
export interface Problem {
  /** Path of the page that explains it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Path of the request that it is about; missing when that could not be read. */
  readonly instance?: string;
  /** Stable name of the error, for programs. */
  readonly code: string;
  /** Correlation id of the request, to be found in the logs. */
  readonly traceId?: string;
  /** Facts for a program. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldProblem[];
}

/** A refusal of HTTP itself. */
export class HttpRefusal extends HttpException {
  /** @param detail what was wrong this time, for the caller */
  constructor(readonly problem: HttpProblem, detail: string, readonly errors: readonly FieldProblem[] = []) {
    super(detail, problem.status);
  }
}

/** The body of a request, or its parameters, break rules. */
export class InvalidRequest extends HttpRefusal {
  constructor(errors: readonly FieldProblem[]) {
    super(httpProblems.invalidRequest, 'The request breaks a rule; `errors` says which fields and why.', errors);
  }
}

/** Errors of Fastify that say more than their status. */
const FASTIFY: Readonly<Record<string, HttpProblem>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: httpProblems.malformedJson,
  FST_ERR_CTP_EMPTY_JSON_BODY: httpProblems.malformedJson,
  FST_ERR_BAD_URL: httpProblems.malformedUrl,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: httpProblems.malformedMessage,
  FST_ERR_MAX_PARAM_LENGTH: httpProblems.uriTooLong,
};

/** What an error of Fastify itself refuses; undefined for one that says no more than its status. */
export function refusalOf(error: unknown): HttpRefusal | undefined {
  const { code, message, statusCode } = error as { code?: string; message: string; statusCode?: number };
  const problem = error instanceof SyntaxError && statusCode === 400 ? httpProblems.malformedJson : FASTIFY[code ?? ''];
  // Fastify would repeat all of it.
  return problem && new HttpRefusal(problem, problem === httpProblems.uriTooLong ? 'A part of the path is longer than any that there is. Check it; /docs has all of them.' : message);
}

/** What is known about a request whatever went wrong; `instance` is its URL. */
export type RequestFacts = Pick<Problem, 'instance' | 'traceId'>;

/** What the caller is told about an error; nothing internal leaves. */
export function problemOf(error: unknown, facts: RequestFacts, catalogue?: ProblemCatalogue): Problem {
  if (error instanceof DomainError) {
    const { kind, code, message } = error;
    const { errors, ...details } = error.details;
    const title = catalogue?.get(code)?.title ?? titleOfKind(kind);
    return build({ code, title, status: statusOfKind(kind) }, message, facts, { errors: fieldProblems(errors), details });
  }
  if (error instanceof HttpRefusal) return build(error.problem, error.message, facts, { errors: error.errors });
  const status = statusOf(error);
  if (status < 500) return build({ ...problemOfStatus(status), status }, (error as Error).message, facts);
  // Above, only what was thrown for the caller on purpose is told: a health check that says what is missing, for example.
  if (error instanceof HttpException && status > 500) return build({ ...problemOfStatus(status), status }, error.message, facts, { details: factsOf(error) });
  return build(httpProblems.internalError, 'Something went wrong on our side. The logs have the reason under the trace id.', facts);
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

function build({ code, title, status }: Pick<HttpProblem, 'code' | 'title' | 'status'>, detail: string, { instance, ...facts }: RequestFacts, more: Pick<Problem, 'errors' | 'details'> = {}): Problem {
  const { errors = [], details = {} } = more;
  return {
    type: problemPath(code),
    title,
    status,
    detail,
    code,
    ...facts,
    // Without the query: it may have what should not be in a log of answers.
    ...(instance !== undefined && { instance: instance.replace(/\?.*/s, '') }),
    ...(errors.length > 0 && { errors }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}
