import { applyDecorators, Header } from '@nestjs/common';
import { ApiExtension, type OpenAPIObject } from '@nestjs/swagger';
import { UsageError } from '@nestbox/kernel';
import { operationsOf } from './openapi/operations.js';

/** That an operation should not be used any more, and since when. */
export interface Deprecation {
  /** Since when: a day (`2026-01-31`, its first moment in UTC) or a time, of ISO 8601. */
  readonly since: string;
  /** When it may stop to answer. */
  readonly sunset?: string;
  /** URL or path of a page that says what to use instead. */
  readonly documentation?: string;
}

/** Where an operation keeps its deprecation, until the API document is complete. */
const DEPRECATION = 'x-deprecation';

/** The headers of a deprecation, as they are written and what they say. */
const NAMES: Readonly<Record<string, string>> = { deprecation: 'Deprecation', sunset: 'Sunset', link: 'Link' };
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  deprecation: 'Since when it should not be used any more, in Unix seconds after an `@` (RFC 9745).',
  sunset: 'When it may stop to answer (RFC 8594).',
  link: 'Where it is said what to use instead.',
};

/**
 * The headers that say so to callers: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and `Link` to the documentation.
 * @param where what is deprecated, for the message of an error
 * @throws UsageError for dates that are none, or in the wrong order
 */
export function deprecationHeaders({ since, sunset, documentation }: Deprecation, where: string): readonly (readonly [name: string, value: string])[] {
  const from = timeOf(since, where);
  const until = sunset === undefined ? undefined : timeOf(sunset, where);
  if (until !== undefined && until < from) throw new UsageError(`${where} is deprecated since ${since}, and its sunset is before that: ${sunset}.`, 'let the sunset be later.');
  const relations = ['deprecation', ...(until === undefined ? [] : ['sunset'])];
  return [
    ['deprecation', `@${from / 1_000}`],
    ...(until === undefined ? [] : [['sunset', new Date(until).toUTCString()] as const]),
    ...(documentation === undefined ? [] : [['link', relations.map((relation) => `<${documentation}>; rel="${relation}"`).join(', ')] as const]),
  ];
}

/** Says to callers of an operation, and in the API document, that it should not be used any more. @throws UsageError for dates that make no sense */
export function Deprecated(deprecation: Deprecation): MethodDecorator {
  return (target, key, descriptor) => {
    const headers = deprecationHeaders(deprecation, `${target.constructor.name}.${String(key)}`);
    return applyDecorators(ApiExtension(DEPRECATION, deprecation) as MethodDecorator, ...headers.map(([name, value]) => Header(name, value)))(target, key, descriptor);
  };
}

/** Marks the deprecated operations of a document, with the dates and the page in their description, and the headers of their answers. */
export function documentDeprecations(document: OpenAPIObject): void {
  for (const { operation } of operationsOf<{ [DEPRECATION]?: Deprecation }>(document)) {
    const deprecation = operation[DEPRECATION];
    if (!deprecation) continue;
    const { since, sunset, documentation } = deprecation;
    delete operation[DEPRECATION];
    operation.deprecated = true;
    const sentences = [`Deprecated since ${since}.`, ...(sunset ? [`It may stop to answer on ${sunset}.`] : []), ...(documentation ? [`See [what to use instead](${documentation}).`] : [])];
    operation.description = [...(operation.description ? [operation.description] : []), sentences.join(' ')].join('\n\n');
    for (const [name, value] of deprecationHeaders(deprecation, operation.operationId ?? 'An operation')) {
      for (const answer of Object.values(operation.responses)) answer.headers = { ...answer.headers, [NAMES[name]!]: { description: DESCRIPTIONS[name]!, schema: { type: 'string', examples: [value] } } };
    }
  }
}

/** In Unix milliseconds, without a fraction of a second. */
function timeOf(date: string, where: string): number {
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`${where} has the date "${date}", which is none.`, 'write a day, such as 2026-01-31, or a time with its zone, such as 2026-01-31T12:00:00Z.');
  return Math.floor(time / 1_000) * 1_000;
}
