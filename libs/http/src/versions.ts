import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { entityTag, readEntityTags } from './entity-tags.js';
import { httpProblems } from './http-problems.js';
import { HttpRefusal } from './problem.js';

/** Where an operation says what it does with versions, until the API document is complete. */
const VERSIONED = 'x-versioned';
export const CONDITIONAL = 'x-conditional';

/** Versions that one request may name. */
const MOST_VERSIONS = 100;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the answers of the route have an `ETag`. */
    versioned?: boolean;
  }
}

/**
 * A read whose answer has a `version`: it is answered with an `ETag` made of that, and with 304 and no body when
 * `If-None-Match` names it (RFC 9110, section 13.1.2); a header that cannot be read asks for nothing. The tag is strong as
 * long as the version decides what is shown: after a release that shows the same version otherwise, clients keep what they
 * have until the next change. An answer without a version, as an older process may give, has no tag.
 *
 * Answers of commands have none: they are made, and kept for the repetition of their idempotency key, before the commit
 * that gives the version, and another change may have followed. Who wants to change a thing again reads it.
 */
export function Versioned(): MethodDecorator {
  return applyDecorators(RouteConfig({ versioned: true }), ApiExtension(VERSIONED, true) as MethodDecorator);
}

/**
 * A parameter of a controller: the versions that `If-Match` names, for the command to require one of them
 * (RFC 9110, section 13.1.1). Undefined when there is no such header, and for `*`, which asks for nothing but that the
 * thing is there. Weak tags, and tags that no {@link Versioned} read has given, match nothing, and are left out; so the list
 * may be empty.
 * @throws HttpRefusal `http.invalid-if-match` for a header that is no list of entity tags
 */
export function IfMatch(): ParameterDecorator {
  return (target, key, index) => {
    headerIfMatch()(target, key, index);
    const descriptor = Object.getOwnPropertyDescriptor(target, key!)!;
    ApiExtension(CONDITIONAL, true)(target, key!, descriptor);
  };
}

const headerIfMatch = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { headers } = context.switchToHttp().getRequest<{ headers: Readonly<Record<string, string | undefined>> }>();
  return wantedVersions(headers['if-match']);
});

function wantedVersions(header: string | undefined): readonly number[] | undefined {
  if (header === undefined) return undefined;
  const tags = readEntityTags(header);
  if (tags === '*') return undefined;
  const versions = tags && new Set(tags.flatMap(({ weak, value }) => (!weak && /^(0|[1-9]\d{0,14})$/.test(value) ? [Number(value)] : [])));
  if (!versions || versions.size > MOST_VERSIONS) {
    throw new HttpRefusal(httpProblems.invalidIfMatch, `The header If-Match must be * or a list of at most ${MOST_VERSIONS} entity tags in double quotes, such as "3": the ETag of an earlier answer, as it was.`);
  }
  return [...versions];
}

/** What is sent of an answer: of one that is {@link Versioned} nothing, when the caller has this version already. */
export function answerVersion(reply: FastifyReply, answer: unknown): unknown {
  const { routeOptions, headers } = reply.request;
  const version = routeOptions.config.versioned ? (answer as { readonly version?: unknown } | undefined | null)?.version : undefined;
  if (typeof version !== 'number') return answer;
  void reply.header('etag', entityTag(version));
  const known = headers['if-none-match'];
  if (known === undefined || !names(known, version)) return answer;
  void reply.code(304);
  return undefined;
}

/** Whether `If-None-Match` names the version. Weak tags count: the comparison is the weak one. */
function names(header: string, version: number): boolean {
  const tags = readEntityTags(header);
  return tags === '*' || (tags?.some(({ value }) => value === String(version)) ?? false);
}

// Without examples, which pages of documentation would send.
const IF_NONE_MATCH = {
  name: 'If-None-Match', in: 'header', required: false,
  description: 'The `ETag` of what you have, or several of them: when it is still the same, the answer is 304 without a body.',
  schema: { type: 'string' },
};
const IF_MATCH = {
  name: 'If-Match', in: 'header', required: false,
  description: 'The `ETag` of what you have read, or several of them: when it has changed since, nothing is done. `*`: whatever it is now.',
  schema: { type: 'string' },
};
const ETAG = { description: 'Stands for this version of the thing; for `If-None-Match` of the next read, and `If-Match` of a change.', schema: { type: 'string' }, example: '"3"' };

interface Operation {
  parameters?: object[];
  readonly responses: Record<string, { description?: string; headers?: Record<string, object> }>;
  [VERSIONED]?: true;
  [CONDITIONAL]?: true;
}

/** Documents the headers of operations that are {@link Versioned} or take {@link IfMatch}. */
export function documentVersions(document: OpenAPIObject): void {
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path as Record<string, Operation>)) {
      const { [VERSIONED]: versioned, [CONDITIONAL]: conditional } = operation;
      delete operation[VERSIONED];
      delete operation[CONDITIONAL];
      if (conditional) operation.parameters = [...(operation.parameters ?? []), IF_MATCH];
      if (!versioned) continue;
      operation.parameters = [...(operation.parameters ?? []), IF_NONE_MATCH];
      for (const [status, response] of Object.entries(operation.responses)) if (status.startsWith('2')) response.headers = { ...response.headers, ETag: ETAG };
      operation.responses['304'] = { description: 'It is still what `If-None-Match` names.', headers: { ETag: ETAG } };
    }
  }
}
