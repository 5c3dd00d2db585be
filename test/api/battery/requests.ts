import { exampleOf, type Operation, type Schema } from './document.ts';
import { HOSTILE_HEADERS, HOSTILE_SEGMENTS, HOSTILE_TEXTS, HOSTILE_VALUES } from './values.ts';

/** What is sent; the body is text, or bytes, or nothing. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer;
}

/** A request, what is strange about it, and what the document says about that. */
export interface Attempt {
  readonly operation: Operation;
  readonly what: string;
  readonly request: HttpRequest;
  /** `refused`: the document, or HTTP, forbids it. `allowed`: it is answered as the document says. `elsewhere`: another path or method. */
  readonly expected: 'refused' | 'allowed' | 'elsewhere';
}

/** A request of an operation that is valid, in parts. */
export interface BaseRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const JSON_TYPE = { 'content-type': 'application/json' };
/** Largest body that the application takes, in bytes. */
const BODY_LIMIT = 1_048_576;
/** How many values are tried for each header: all operations read them in the same way. */
const HEADER_VALUES = 6;
/** Headers that every operation reads, documented or not. */
const COMMON_HEADERS = ['X-Request-Id', 'traceparent', 'tracestate'];

/** Every attempt on one operation. `fresh` gives a valid request, which nothing before has used up. */
export function attemptsOn(operation: Operation, fresh: () => BaseRequest, random: () => number): Attempt[] {
  return [...bodyAttempts(operation, fresh), ...queryAttempts(operation, fresh), ...pathAttempts(operation, fresh), ...headerAttempts(operation, fresh, random), ...protocolAttempts(operation, fresh)];
}

/** The valid request itself, or with other parts. */
export function requestOf({ method, path }: Operation, base: BaseRequest, { segments = {}, search, text }: { segments?: Readonly<Record<string, string>>; search?: string; text?: string } = {}): HttpRequest {
  const where = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segments[name] ?? encodeURIComponent(base.path[name] ?? ''));
  const query = search ?? new URLSearchParams(base.query).toString();
  const payload = text ?? (base.body === undefined ? undefined : JSON.stringify(base.body));
  return { method, url: query === '' ? where : `${where}?${query}`, headers: { ...(payload !== undefined && JSON_TYPE), ...base.headers }, ...(payload !== undefined && { payload }) };
}

function bodyAttempts(operation: Operation, fresh: () => BaseRequest): Attempt[] {
  const { body: schema } = operation;
  if (!schema) return [];
  const attempt = (what: string, make: (body: unknown) => string): Attempt => {
    const base = fresh();
    const text = make(base.body);
    return { operation, what, request: requestOf(operation, base, { text }), expected: isAllowed(operation, schema, text) ? 'allowed' : 'refused' };
  };
  const places = placesIn(fresh().body, schema, operation);
  return [
    ...places.flatMap(({ path, optional }) => {
      const at = `/${path.join('/')}`;
      return [
        ...HOSTILE_VALUES.map(({ name, json }) => attempt(`${at} is ${name}`, (body) => textWith(body, path, json))),
        ...(path.length > 0 ? [attempt(`${at} is ${optional ? 'left out' : 'missing'}`, (body) => textWith(body, path, undefined))] : []),
      ];
    }),
    ...places.filter(({ isObject }) => isObject).flatMap(({ path, value }) => {
      const fields = JSON.stringify(value ?? {}).slice(1, -1);
      const last = Object.entries((value ?? {}) as object).at(-1);
      const inside = (name: string, text: string, isKnown = false) => {
        const made = attempt(`/${path.join('/')} has ${name}`, (body) => textWith(body, path, `{${text}}`));
        // Whether the document says so or not: nobody is left to believe that a misspelt field counts.
        return isKnown ? made : ({ ...made, expected: 'refused' } as const);
      };
      const and = fields === '' ? '' : ',';
      return [
        ...['toString', 'hasOwnProperty', 'constructor', 'valueOf'].map((name) => inside(`a field ${name}`, `${fields}${and}"${name}":1`)),
        inside('a field that nobody knows', `${fields}${and}"nobodyKnows":1`),
        inside('a field with an empty name', `${fields}${and}"":1`),
        inside('a field with half a character for a name', String.raw`${fields}${and}"\ud800":1`),
        inside('the field __proto__', `${fields}${and}"__proto__":{"polluted":true}`),
        inside('the field constructor.prototype', `${fields}${and}"constructor":{"prototype":{"polluted":true}}`),
        inside('10,000 fields that nobody knows', `${fields}${and}${Array.from({ length: 10_000 }, (_, index) => `"f${index}":1`).join(',')}`),
        ...(last ? [inside('a field twice, the first one wrong', `${JSON.stringify(last[0])}:{"no":"such"},${fields}`, true), inside('a field twice, the last one wrong', `${fields},${JSON.stringify(last[0])}:{"no":"such"}`, true)] : []),
      ];
    }),
  ];
}

interface Place {
  readonly path: readonly string[];
  readonly optional: boolean;
  readonly isObject: boolean;
  readonly value: unknown;
}

/** Every field of a body that there is or could be, with the body itself and the first item of each list. */
function placesIn(value: unknown, declared: Schema, operation: Operation, path: readonly string[] = [], optional = false): Place[] {
  const schema = operation.resolve(declared);
  const here = { path, optional, value, isObject: schema.properties !== undefined };
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = (value as Record<string, unknown> | undefined)?.[name] ?? exampleOf(field, operation.resolve);
    return placesIn(inner, field, operation, [...path, name], !schema.required?.includes(name));
  });
  const items = schema.items ? placesIn((value as unknown[] | undefined)?.[0], schema.items, operation, [...path, '0']) : [];
  return [here, ...fields, ...items];
}

/** A body as JSON text, with other text at one place; without the place for undefined. */
function textWith(value: unknown, [key, ...rest]: readonly string[], json: string | undefined): string {
  if (key === undefined) return json ?? '';
  // The first item of a list that the example leaves out.
  if (value === undefined && key === '0') return json === undefined && rest.length === 0 ? '[]' : `[${textWith(undefined, rest, json)}]`;
  if (Array.isArray(value)) return `[${value.flatMap((item, index) => (String(index) !== key ? [JSON.stringify(item)] : json === undefined && rest.length === 0 ? [] : [textWith(item, rest, json)])).join(',')}]`;
  const fields = Object.entries({ ...(value as object | undefined), [key]: (value as Record<string, unknown> | undefined)?.[key] }).flatMap(([name, field]) => {
    if (name !== key) return [`${JSON.stringify(name)}:${JSON.stringify(field)}`];
    return json === undefined && rest.length === 0 ? [] : [`${JSON.stringify(name)}:${textWith(field, rest, json)}`];
  });
  return `{${fields.join(',')}}`;
}

/** Whether the document allows a body: it is JSON, reaches for no prototype, and is what the schema says. */
function isAllowed({ allows }: Operation, schema: Schema, text: string): boolean {
  if (Buffer.byteLength(text) > BODY_LIMIT || /"__proto__"\s*:|"constructor"\s*:\s*\{"prototype"/.test(text)) return false;
  try {
    return allows(schema, JSON.parse(text));
  } catch {
    return false;
  }
}

function queryAttempts(operation: Operation, fresh: () => BaseRequest): Attempt[] {
  const declared = operation.parameters.filter((parameter) => parameter.in === 'query');
  const attempt = (what: string, search: string, allowed: boolean): Attempt => ({ operation, what: `?${what}`, request: requestOf(operation, fresh(), { search }), expected: allowed ? 'allowed' : 'refused' });
  // An operation without a query does not look at it.
  const unknown = declared.length === 0;
  return [
    ...declared.flatMap(({ name, schema = {} }) => [
      ...HOSTILE_TEXTS.map(([what, value]) => attempt(`${name} is ${what}`, `${name}=${encodeURIComponent(value)}`, operation.allows(schema, readAs(operation.resolve(schema), value)))),
      ...['%zz', '%ff', '%ed%a0%80', '%00'].map((value) => attempt(`${name}=${value}`, `${name}=${value}`, operation.allows(schema, readAs(operation.resolve(schema), decodedLoosely(value))))),
      attempt(`${name} twice`, `${name}=1&${name}=2`, false),
      attempt(`${name} ten thousand times`, `${name}=1&`.repeat(10_000), false),
      attempt(`${name}[]`, `${name}[]=1`, false),
      attempt(`${name}[a]`, `${name}[a]=1`, false),
      attempt(`${name}.a`, `${name}.a=1`, false),
    ]),
    ...['nobodyKnows=1', 'a[b]=c', '__proto__=1', '__proto__[polluted]=1', 'constructor=1', 'constructor[prototype][polluted]=1', '=1', 'hasOwnProperty=1', 'toString=1'].map((search) => attempt(search, search, unknown)),
    ...['&&&', '', '?', '#'].map((search) => ({ ...attempt(search, search, true) })),
  ];
}

/** The text of a parameter, as its type. */
function readAs({ type, enum: values }: Schema, text: string): unknown {
  const types = new Set([type ?? (values ? typeof values[0] : 'string')].flat());
  if (types.has('string')) return text;
  if (types.has('boolean')) return text === 'true' ? true : text === 'false' ? false : text;
  return /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : text;
}

function decodedLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function pathAttempts(operation: Operation, fresh: () => BaseRequest): Attempt[] {
  return operation.parameters.filter((parameter) => parameter.in === 'path').flatMap(({ name, schema = {} }) =>
    [...HOSTILE_SEGMENTS, ...HOSTILE_TEXTS.slice(1).map(([, value]) => encodeURIComponent(value))].map((segment): Attempt => {
      const base = fresh();
      const request = requestOf(operation, base, { segments: { [name]: segment } });
      const { pathname } = new URL(request.url, 'http://localhost');
      // What a client resolves before it sends it never arrives at this operation.
      const stays = pathname.split('/').length === request.url.split('/').length && !/^(\.|%2e)+$/i.test(segment);
      return { operation, what: `{${name}} is ${segment.slice(0, 80)}`, request, expected: !stays ? 'elsewhere' : allowedSegment(operation, schema, segment) ? 'allowed' : 'refused' };
    }),
  );
}

function allowedSegment({ allows, resolve }: Operation, schema: Schema, segment: string): boolean {
  try {
    return allows(schema, readAs(resolve(schema), decodeURIComponent(segment)));
  } catch {
    return false;
  }
}

function headerAttempts(operation: Operation, fresh: () => BaseRequest, random: () => number): Attempt[] {
  const declared = operation.parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
  return [...new Set([...declared, ...COMMON_HEADERS])].flatMap((name) =>
    Array.from({ length: HEADER_VALUES }, (): Attempt => {
      const value = HOSTILE_HEADERS[Math.floor(random() * HOSTILE_HEADERS.length)]!;
      const request = requestOf(operation, fresh());
      return { operation, what: `${name}: ${value.slice(0, 80)}`, request: { ...request, headers: { ...request.headers, [name.toLowerCase()]: value } }, expected: 'allowed' };
    }),
  );
}

/** What is wrong with the request around its parts: types of content, bodies that are none, methods. */
function protocolAttempts(operation: Operation, fresh: () => BaseRequest): Attempt[] {
  const attempt = (what: string, expected: Attempt['expected'], change: (request: HttpRequest) => HttpRequest): Attempt => ({ operation, what, expected, request: change(requestOf(operation, fresh())) });
  const withHeaders = (headers: Record<string, string>) => (request: HttpRequest) => ({ ...request, headers: { ...request.headers, ...headers } });
  const withPayload = (payload: (text: string) => string | Buffer) => (request: HttpRequest) => ({ ...request, payload: payload(String(request.payload)) });
  const methods = ['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'PATCH', 'DELETE', 'PUT', 'POST', 'GET'].filter((method) => method !== operation.method);
  const ofMethods = methods.map((method) => attempt(method, 'elsewhere', ({ url, headers }) => ({ method, url, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-type')) })));
  if (!operation.body) {
    const bodies = operation.method === 'GET' ? ['{"a":1}', '{', ''] : [];
    return [...ofMethods, ...bodies.map((payload) => attempt(`a body ${payload}`, 'allowed', (request) => ({ ...request, payload, headers: { ...request.headers, ...JSON_TYPE } })))];
  }
  return [
    ...ofMethods,
    ...['text/plain', 'text/html', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/octet-stream', 'nonsense', '/', 'application/json\u0000', '', '*/*', 'application/jsonp'].map((type) => attempt(`content-type: ${type}`, 'refused', withHeaders({ 'content-type': type }))),
    ...['application/json; charset=nonsense', 'application/json; charset=', 'application/json;', 'APPLICATION/JSON', 'application/json; charset="utf-8"'].map((type) => attempt(`content-type: ${type}`, 'allowed', withHeaders({ 'content-type': type }))),
    attempt('no content-type', 'refused', ({ headers, ...request }) => ({ ...request, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-type')) })),
    attempt('gzip that is none', 'refused', withHeaders({ 'content-encoding': 'gzip' })),
    attempt('no body', 'refused', ({ payload: _payload, ...request }) => request),
    attempt('an empty body', 'refused', withPayload(() => '')),
    attempt('a blank body', 'refused', withPayload(() => ' \n')),
    ...[0.1, 0.5, 0.9, 0.99].map((part) => attempt(`the first ${part * 100} % of the body`, 'refused', withPayload((text) => text.slice(0, Math.min(text.length - 1, Math.ceil(text.length * part)))))),
    attempt('something behind the body', 'refused', withPayload((text) => `${text}}`)),
    attempt('two bodies', 'refused', withPayload((text) => text + text)),
    attempt('a byte order mark', 'allowed', withPayload((text) => `\uFEFF${text}`)),
    attempt('UTF-16', 'refused', withPayload((text) => Buffer.from(text, 'utf16le'))),
    attempt('bytes that are no UTF-8', 'refused', withPayload((text) => Buffer.concat([Buffer.from(text.slice(0, 1)), Buffer.of(0xff, 0xfe, 0xc0), Buffer.from(text.slice(1))]))),
    attempt('a comment', 'refused', withPayload((text) => `/* all */ ${text}`)),
    attempt('more than the body limit', 'refused', withPayload((text) => text + ' '.repeat(BODY_LIMIT))),
    // From a connection this would be the beginning of another request; libs/http has that tested.
    ...['1', '100000'].map((length) => attempt(`a content-length of ${length}`, 'elsewhere', withHeaders({ 'content-length': length }))),
  ];
}
