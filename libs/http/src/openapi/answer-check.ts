import { isDeepStrictEqual } from 'node:util';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { httpProblems } from '../http-problems.js';
import { messageOf } from '../message-context.js';
import { PROBLEM_TYPE } from '../problem-reply.js';
import { HttpRefusal, type Problem, problemOf } from '../problem.js';
import type { DocumentedRoute } from './answers.js';
import { closed, mapSchema } from './json-schema.js';
import { schemasOf } from './operations.js';

const DOCUMENT = 'openapi:document';
/** Differences that one problem names; the first ones tell the most. */
const MOST_NAMED = 5;

/** Formats of fields that a client may rely on. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
};

/** An API document, as a client that believes every word of it reads it. */
export class AnswerCheck {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true });

  constructor(document: OpenAPIObject) {
    for (const [name, format] of Object.entries(FORMATS)) this.ajv.addFormat(name, format);
    // The document leaves room for fields to come. What is answered now has no others than it names.
    const schemas = Object.fromEntries(Object.entries(schemasOf(document)).map(([name, schema]) => [name, mapSchema(schema, (inner) => closed(inner, 'unevaluatedProperties'), { parts: false })]));
    this.ajv.addSchema({ ...document, components: { schemas } } as object, DOCUMENT);
  }

  /**
   * In what an answer differs from what the document says about it; empty when in nothing.
   * @param contentType undefined for an answer without a body, and so is `body`
   */
  differences({ name, operation }: DocumentedRoute, status: number, contentType: string | undefined, body: unknown): string[] {
    const key = [String(status), `${String(status)[0]}XX`, 'default'].find((candidate) => operation.responses[candidate]);
    const answer = operation.responses[key ?? ''];
    if (key === undefined || !answer) return [`the document has no such status, only ${Object.keys(operation.responses).join(', ')}`];
    const types = Object.keys(answer.content ?? {});
    if (types.length === 0 && body === undefined) return [];
    if (contentType === undefined || !types.includes(contentType)) return [`the document has ${types.join(', ') || 'no body'} there, and not ${body === undefined ? 'no body' : contentType}`];
    // Of what is no JSON, no more is known than its type.
    if (!contentType.endsWith('json')) return [];
    const validate = this.ajv.getSchema(`${DOCUMENT}#/paths/${pointer(name, key, contentType)}/schema`);
    if (!validate || validate(body)) return [];
    return [...new Set(validate.errors!.filter(isTelling).map(sentence))];
  }
}

/**
 * Holds every answer of a documented route against the document, before it leaves. One that differs is answered with a problem instead,
 * which says where, and logged.
 */
export function checkAnswers(fastify: FastifyInstance, document: OpenAPIObject): void {
  const check = new AnswerCheck(document);
  const logger = new Logger('http');
  /** What is being answered, as JSON says it, before it is written; undefined once the answer was refused. */
  const answers = new WeakMap<FastifyReply, { readonly body: unknown } | undefined>();
  // Put in the place of the answer instead of thrown: an error while an error is answered would get past every filter.
  const refusal = ({ url, raw }: FastifyRequest, reply: FastifyReply, name: string, differences: readonly string[]): Problem => {
    answers.set(reply, undefined);
    const more = differences.length - MOST_NAMED;
    const error = new HttpRefusal(httpProblems.undocumentedAnswer, `${name}, ${reply.statusCode}: ${differences.slice(0, MOST_NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''}.`);
    logger.error(error);
    const traceId = messageOf(raw)?.correlationId;
    void reply.code(error.problem.status).header('content-type', PROBLEM_TYPE).removeHeader('content-length');
    return problemOf(error, { instance: url, ...(traceId && { traceId }) });
  };
  const isRefused = (reply: FastifyReply) => answers.has(reply) && answers.get(reply) === undefined;

  fastify.addHook('preSerialization', async (request, reply, payload) => {
    const { documented } = request.routeOptions.config;
    if (!documented || isRefused(reply)) return payload;
    const body: unknown = JSON.parse(JSON.stringify(payload));
    answers.set(reply, { body });
    const differences = check.differences(documented, reply.statusCode, mediaTypeOf(reply), body);
    return differences.length === 0 ? payload : refusal(request, reply, documented.name, differences);
  });
  fastify.addHook('onSend', async (request, reply, payload) => {
    const { documented } = request.routeOptions.config;
    if (!documented || isRefused(reply) || request.method === 'HEAD') return payload;
    const answer = answers.get(reply);
    const differences = answer ? unlike(answer.body, payload) : check.differences(documented, reply.statusCode, mediaTypeOf(reply), bodyOf(reply, payload));
    return differences.length === 0 ? payload : JSON.stringify(refusal(request, reply, documented.name, differences));
  });
}

/** Whether what was written is what was answered. */
function unlike(body: unknown, written: unknown): string[] {
  // Another hook may have made something else of it, such as a compressed stream.
  return typeof written !== 'string' || isDeepStrictEqual(JSON.parse(written), body) ? [] : [`its schema writes ${written.slice(0, 200)} of ${JSON.stringify(body).slice(0, 200)}`];
}

/** A body that was written by somebody else. */
function bodyOf(reply: FastifyReply, payload: unknown): unknown {
  if (payload === undefined || payload === null || payload === '') return undefined;
  return typeof payload === 'string' && mediaTypeOf(reply)?.endsWith('json') ? JSON.parse(payload) : payload;
}

function mediaTypeOf(reply: FastifyReply): string | undefined {
  return reply.getHeader('content-type')?.toString().split(';')[0];
}

function pointer(name: string, status: string, contentType: string): string {
  const [method = '', path = ''] = name.split(' ');
  return [path, method, 'responses', status, 'content', contentType].map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
}

/** What may also be null is said as two alternatives; that none of them fits tells less than why the first one does not. */
function isTelling({ keyword, params }: ErrorObject, _index: number, all: readonly ErrorObject[]): boolean {
  const isAlternative = (error: Pick<ErrorObject, 'keyword' | 'params'>) => error.keyword === 'anyOf' || error.params['type'] === 'null';
  return !isAlternative({ keyword, params }) || all.every(isAlternative);
}

function sentence({ instancePath, keyword, params, message, data }: ErrorObject): string {
  const where = instancePath === '' ? 'the body' : instancePath;
  if (keyword === 'required') return `${instancePath}/${params['missingProperty']} is missing`;
  if (keyword === 'unevaluatedProperties') return `${instancePath}/${params['unevaluatedProperty']} is not documented`;
  if (keyword === 'additionalProperties') return `${instancePath}/${params['additionalProperty']} is not documented`;
  if (keyword === 'enum') return `${where} is ${JSON.stringify(data)}, not one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
  return `${where} ${message}`;
}
