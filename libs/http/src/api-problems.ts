import { ApiExtension, getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { type DefinedError, definitionOf, UsageError } from '@nestbox/kernel';
import { httpProblems } from './http-problems.js';
import { takesIdempotencyKey } from './idempotency-key.js';
import { type Answer, type Example, type Operation, operationsOf } from './openapi/operations.js';
import { type ProblemCatalogue, type ProblemDefinition, type ProblemEntry, problemEntry } from './problem-catalogue.js';
import { PROBLEM_TYPE } from './problem-reply.js';
import type { Problem as ProblemJson } from './problem.js';
import { Problem } from './problem.schema.js';
import { CONDITIONAL } from './versions.js';

/** Where an operation keeps the codes of its problems, until its answers are made of them. */
const CODES = 'x-problems';

/** What an operation has besides, until then. */
interface Codes {
  [CODES]?: readonly string[];
  readonly [CONDITIONAL]?: true;
}

/** Problems that follow from what an operation is, not from what it does. */
export interface GeneralProblems {
  /** Every operation may answer these. */
  readonly always?: readonly DefinedError<ProblemDefinition>[];
  /** And these, if it asks for a token. */
  readonly secured?: readonly DefinedError<ProblemDefinition>[];
  /** And these, if it changes something: every method but GET. */
  readonly writing?: readonly DefinedError<ProblemDefinition>[];
  /** And these, if it takes `If-Match`. */
  readonly conditional?: readonly DefinedError<ProblemDefinition>[];
}

/** Documents which errors an operation answers. Those of HTTP itself, and those that all operations have, need not be named. */
export function ApiProblems(...problems: readonly DefinedError<ProblemDefinition>[]): MethodDecorator {
  return ApiExtension(CODES, problems.map((problem) => definitionOf(problem).code)) as MethodDecorator;
}

/**
 * Makes answers out of the problems of every operation that has {@link ApiProblems}: one for each status, with its codes.
 * @throws UsageError for a code that is not in the catalogue
 */
export function documentProblems(document: OpenAPIObject, catalogue: ProblemCatalogue, { always = [], secured = [], writing = [], conditional = [] }: GeneralProblems = {}): void {
  const examples: Record<string, Example> = {};
  for (const { method, operation } of operationsOf<Codes>(document)) {
    const codes = operation[CODES];
    if (!codes) continue;
    delete operation[CODES];
    const general = [...ofHttp(method, operation), ...always, ...(operation.security ? secured : []), ...(method === 'get' ? [] : writing), ...(operation[CONDITIONAL] ? conditional : [])].map((problem) => definitionOf<ProblemDefinition>(problem).code);
    const entries = [...new Set([...codes, ...general])].map((code) => {
      const found = catalogue.get(code);
      if (!found) throw new UsageError(`@ApiProblems of ${operation.operationId ?? method} names "${code}", which is not in the catalogue of problems.`, 'list the error where it belongs: `errors` of its context, or the list of its library.');
      return problemEntry(found);
    });
    for (const [status, group] of Map.groupBy(entries, (entry) => entry.status)) operation.responses[status] = responseOf(group);
    for (const entry of entries) examples[entry.code] = { summary: entry.title, value: exampleProblem(entry) };
  }
  document.components = { ...document.components, examples: { ...document.components?.examples, ...examples } };
}

/** What the server refuses before the code of an operation. */
function ofHttp(method: string, { parameters = [], requestBody, [CONDITIONAL]: conditional }: Operation & Codes): ProblemDefinition[] {
  const inPath = parameters.some((parameter) => parameter.in === 'path');
  return [
    httpProblems.malformedMessage,
    ...(parameters.length > 0 || requestBody ? [httpProblems.invalidRequest] : []),
    ...(inPath ? [httpProblems.malformedUrl, httpProblems.uriTooLong] : []),
    // A body is read, and may be refused, whether or not somebody uses it.
    ...(method === 'get' ? [] : [httpProblems.malformedJson, httpProblems.tooLarge, httpProblems.unsupportedMediaType]),
    ...(takesIdempotencyKey(method) ? [httpProblems.invalidIdempotencyKey] : []),
    ...(conditional ? [httpProblems.invalidIfMatch] : []),
    httpProblems.internalError,
  ];
}

function responseOf(problems: readonly ProblemEntry[]): Answer {
  const lines = problems.map(({ type, code, title, cause }) => `[\`${code}\`](${type}) ${title}: ${cause}`);
  const code = { type: 'string', enum: problems.map((problem) => problem.code) };
  return {
    description: lines.length === 1 ? lines[0]! : lines.map((line) => `- ${line}`).join('\n'),
    content: {
      [PROBLEM_TYPE]: {
        schema: { allOf: [{ $ref: getSchemaPath(Problem) }, { type: 'object', properties: { code } }] },
        examples: Object.fromEntries(problems.map((problem) => [problem.code, { $ref: `#/components/examples/${problem.code}` }])),
      },
    },
  };
}

function exampleProblem({ type, code, title, status, cause }: ProblemEntry): ProblemJson {
  const errors = code === httpProblems.invalidRequest.code ? { errors: [{ pointer: '/quantity', detail: 'quantity must be a whole number from 1 to 1000000' }] } : {};
  return { type, title, status, detail: cause, code, traceId: '019acf5e-7c00-7000-8000-000000000000', ...errors };
}
