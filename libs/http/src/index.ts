export { httpAdapter, type HttpAdapterOptions } from './http-adapter.js';
export { openApiDocument, type OpenApiOptions, serveOpenApi } from './openapi.js';
export { type FieldProblem, InvalidRequest, type Problem, problemOf } from './problem.js';
export { ProblemFilter } from './problem.filter.js';
export { fieldProblems, validationPipe } from './validation.js';
