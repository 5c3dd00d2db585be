import { ApiExtension, getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { type DefinedError, definitionOf, UsageError } from '@nestbox/kernel';
import { httpProblems } from './http-problems.js';
import { takesIdempotencyKey } from './idempotency-key.js';
import { type ProblemCatalogue, type ProblemDefinition, problemEntry } from './problem-catalogue.js';
import { PROBLEM_TYPE } from './problem-reply.js';
import { Problem } from './problem.schema.js';

/** Where an operation keeps the codes of its problems, until its answers are made of them. */
const CODES = 'x-problems';

/** An operation of an OpenAPI document, as far as its problems are concerned. */
interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly { readonly in?: string }[];
  readonly requestBody?: object;
  readonly responses: Record<string, object>;
  [CODES]?: readonly string[];
}

/** Problems that follow from what an operation is, not from what it does. */
export interface GeneralProblems {
  /** Every operation may answer these. */
  readonly always?: readonly DefinedError[];
  /** And these, if it changes something: every method but GET. */
  readonly writing?: readonly DefinedError[];
}

/** Documents which errors an operation answers. Those of HTTP itself, and those that all operations have, need not be named. */
export function ApiProblems(...problems: readonly DefinedError<ProblemDefinition>[]): MethodDecorator {
  return ApiExtension(CODES, problems.map((problem) => definitionOf(problem).code)) as MethodDecorator;
}

/**
 * Makes answers out of the problems of every operation that has {@link ApiProblems}: one for each status, with its codes.
 * @throws UsageError for a code that is not in the catalogue
 */
export function documentProblems(document: OpenAPIObject, catalogue: ProblemCatalogue, { always = [], writing = [] }: GeneralProblems = {}): void {
  for (const path of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(path as Record<string, Operation>)) {
      const codes = operation[CODES];
      if (!codes) continue;
      delete operation[CODES];
      const general = [...ofHttp(method, operation), ...always, ...(method === 'get' ? [] : writing)].map((problem) => definitionOf<ProblemDefinition>(problem).code);
      const entries = [...new Set([...codes, ...general])].map((code) => {
        const found = catalogue.get(code);
        if (!found) throw new UsageError(`@ApiProblems of ${operation.operationId ?? method} names "${code}", which is not in the catalogue of problems.`, 'list the error where it belongs: `errors` of its context, or the list of its library.');
        return problemEntry(found);
      });
      for (const [status, group] of Map.groupBy(entries, (entry) => entry.status)) operation.responses[status] = responseOf(group);
    }
  }
}

/** What the server refuses before the code of an operation. */
function ofHttp(method: string, { parameters = [], requestBody }: Operation): ProblemDefinition[] {
  const inPath = parameters.some((parameter) => parameter.in === 'path');
  return [
    ...(parameters.length > 0 || requestBody ? [httpProblems.invalidRequest] : []),
    ...(inPath ? [httpProblems.malformedUrl, httpProblems.uriTooLong] : []),
    ...(requestBody ? [httpProblems.malformedJson, httpProblems.tooLarge, httpProblems.unsupportedMediaType] : []),
    ...(takesIdempotencyKey(method) ? [httpProblems.invalidIdempotencyKey] : []),
    httpProblems.internalError,
  ];
}

function responseOf(problems: readonly ReturnType<typeof problemEntry>[]): object {
  const lines = problems.map(({ type, code, title, cause }) => `[\`${code}\`](${type}) ${title}: ${cause}`);
  const code = { type: 'string', enum: problems.map((problem) => problem.code) };
  return {
    description: lines.length === 1 ? lines[0] : lines.map((line) => `- ${line}`).join('\n'),
    content: { [PROBLEM_TYPE]: { schema: { allOf: [{ $ref: getSchemaPath(Problem) }, { type: 'object', properties: { code } }] } } },
  };
}
