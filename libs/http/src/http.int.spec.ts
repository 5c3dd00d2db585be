import 'reflect-metadata';
import { connect } from 'node:net';
import { Body, Controller, Get, type CanActivate, Injectable, type LoggerService, Param, PayloadTooLargeException, Post, Query, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOperation, ApiProperty } from '@nestjs/swagger';
import { currentMessage, DomainError, type ErrorDefinition, type ErrorKind, type MessageContext, UsageError } from '@nestbox/kernel';
import { Type } from 'class-transformer';
import { ArrayNotEmpty, IsArray, IsInt, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiProblems } from './api-problems.js';
import { httpAdapter } from './http-adapter.js';
import { httpProblems } from './http-problems.js';
import { openApiDocument, serveOpenApi } from './openapi.js';
import { problemCatalogue } from './problem-catalogue.js';
import { ProblemFilter } from './problem.filter.js';
import { ProblemsModule } from './problems.module.js';
import { validationPipe } from './validation.js';

const basketFull = {
  code: 'baskets.full', kind: 'conflict', title: 'Basket <full>', cause: 'There are `100` things in it & no more fit.', cure: 'Take "something" out.',
} as const satisfies ErrorDefinition;
const catalogue = problemCatalogue([basketFull]);

class Line {
  @ApiProperty({ type: 'integer' })
  @IsInt()
  @Min(1)
  readonly quantity!: number;
}

class Basket {
  @ApiProperty({ type: String })
  @IsString()
  readonly customer!: string;

  @ApiProperty({ type: [Line] })
  @IsArray()
  @ArrayNotEmpty()
  @ValidateNested({ each: true })
  @Type(() => Line)
  readonly lines!: Line[];
}

class Paging {
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Max(100)
  readonly limit?: number;
}

const seen: (MessageContext | undefined)[] = [];

@Injectable()
class Watchful implements CanActivate {
  canActivate(): boolean {
    seen.push(currentMessage());
    return true;
  }
}

@Controller('baskets')
@UseGuards(Watchful)
class BasketsController {
  @Post()
  @ApiOperation({ operationId: 'add' })
  @ApiProblems({ definition: basketFull })
  async add(@Body() basket: Basket) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(currentMessage());
    return { customer: basket.customer, isClass: basket.lines[0] instanceof Line };
  }

  @Get()
  list(@Query() paging: Paging) {
    return { limit: paging.limit };
  }

  @Get('errors/:kind')
  refuse(@Param('kind') kind: ErrorKind) {
    throw new DomainError({ kind, code: 'baskets.refused' }, 'The basket is refused.', { basket: 7 });
  }

  @Post('burst')
  burst() {
    throw new PayloadTooLargeException('The basket is full.');
  }

  @Get('crash')
  crash() {
    throw new Error('password of the database is hunter2');
  }
}

class App {}

const logged: { level: string; line: unknown[] }[] = [];
const note = (level: string) => (...line: unknown[]) => void logged.push({ level, line });
const logger: LoggerService = { log: () => undefined, warn: note('warn'), error: note('error') };

describe('the HTTP border', () => {
  let app: NestFastifyApplication;
  let port: number;

  beforeAll(async () => {
    const adapter = httpAdapter({ bodyLimitBytes: 1000, timeoutMs: 1000, maxTimeoutMs: 5000, tenantId: 'default' });
    app = await NestFactory.create<NestFastifyApplication>({ module: App, imports: [ProblemsModule.forRoot(catalogue)], controllers: [BasketsController], providers: [Watchful] }, adapter, { logger, abortOnError: false });
    app.useGlobalFilters(new ProblemFilter(catalogue));
    app.useGlobalPipes(validationPipe());
    serveOpenApi(app, { title: 'Baskets', description: 'For a test.', version: '1', catalogue });
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as { port: number }).port;
  });

  afterAll(() => app?.close());

  beforeEach(() => {
    seen.length = 0;
    logged.length = 0;
  });

  const basket = { customer: 'QUICK', lines: [{ quantity: 1 }] };
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  };

  describe('errors', () => {
    it.each<[ErrorKind, number]>([
      ['invalid', 422], ['unauthenticated', 401], ['forbidden', 403], ['not-found', 404], ['conflict', 409], ['precondition-failed', 412], ['rate-limited', 429], ['unavailable', 503], ['timeout', 504],
    ])('of the domain: %s is %i', async (kind, status) => {
      const answer = await call('GET', `/baskets/errors/${kind}?x=1`);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({ status, code: 'baskets.refused', detail: 'The basket is refused.', instance: `/baskets/errors/${kind}`, traceId: answer.headers.get('x-request-id') });
      expect(answer.status).toBe(status);
    });

    it.each([
      ['an unknown route', httpProblems.notFound, 'GET', '/nowhere', undefined, {}],
      ['an unknown file of the documentation', httpProblems.notFound, 'GET', '/docs/nothing.js', undefined, {}],
      ['a file outside of the documentation', httpProblems.notFound, 'GET', '/docs/..%2f..%2fpackage.json', undefined, {}],
      ['an unknown problem', httpProblems.unknownProblem, 'GET', '/problems/baskets.nothing', undefined, {}],
      ['an unknown method', httpProblems.methodNotAllowed, 'DELETE', '/baskets', undefined, {}],
      ['a method with a body', httpProblems.methodNotAllowed, 'PUT', '/baskets', basket, {}],
      ['a question for the methods', httpProblems.methodNotAllowed, 'OPTIONS', '/baskets', undefined, {}],
      ['a malformed URL', httpProblems.malformedUrl, 'GET', '/baskets/%zz', undefined, {}],
      ['malformed JSON', httpProblems.malformedJson, 'POST', '/baskets', '{"customer":', {}],
      ['an empty JSON body', httpProblems.malformedJson, 'POST', '/baskets', '', {}],
      ['JSON that reaches for the prototype', httpProblems.malformedJson, 'POST', '/baskets', '{"__proto__":{"x":1}}', {}],
      ['a body that is too large', httpProblems.tooLarge, 'POST', '/baskets', { ...basket, customer: 'x'.repeat(2000) }, {}],
      ['another content type', httpProblems.unsupportedMediaType, 'POST', '/baskets', '<basket/>', { 'content-type': 'application/xml' }],
      ['a form', httpProblems.unsupportedMediaType, 'POST', '/baskets', 'customer=QUICK', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['plain text', httpProblems.unsupportedMediaType, 'POST', '/baskets', 'hello', { 'content-type': 'text/plain' }],
      ['no body', httpProblems.invalidRequest, 'POST', '/baskets', undefined, {}],
      ['an array for an object', httpProblems.invalidRequest, 'POST', '/baskets', [basket], {}],
      ['null for an object', httpProblems.invalidRequest, 'POST', '/baskets', 'null', {}],
      ['a string for an object', httpProblems.invalidRequest, 'POST', '/baskets', '"basket"', {}],
    ])('of the request: %s', async (_, { code, status, title }, method, path, body, headers) => {
      const answer = await call(method, path, body, headers);
      expect(answer.status, answer.text).toBe(status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      const problem = answer.json();
      expect(problem).toMatchObject({ type: `/problems/${code}`, code, title, status, instance: path, traceId: answer.headers.get('x-request-id') });
      expect(problem.traceId).toMatch(/./);
      expect(problem.detail).toMatch(/./);
      expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD, POST' : null);
      expect(logged).toEqual([]);
    });

    it('keep what the query of an unknown path has to themselves', async () => {
      expect((await call('GET', '/nowhere?password=hunter2')).text).not.toContain('hunter2');
    });

    it.each([
      ['GET', '/nowhere', 404, null],
      ['POST only', '/baskets/burst', 405, 'POST'],
      ['everything', '/baskets/errors/conflict', 409, null],
    ])('have no body when only the head is asked for: %s', async (_, path, status, allow) => {
      const answer = await call('HEAD', path);
      expect([answer.status, answer.text, answer.headers.get('allow')]).toEqual([status, '', allow]);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    });

    it.each([
      ['a word', httpProblems.malformedMessage, 'hello\r\n\r\n'],
      ['a method that nobody knows', httpProblems.malformedMessage, 'FETCH / HTTP/1.1\r\nhost: x\r\n\r\n'],
      ['another protocol', httpProblems.malformedMessage, 'GET / HTTP/9.9\r\nhost: x\r\n\r\n'],
      ['a header with a line of its own in it', httpProblems.malformedMessage, 'GET / HTTP/1.1\r\nhost: x\r\nx: a\rb: c\r\n\r\n'],
      ['two lengths', httpProblems.malformedMessage, 'POST /baskets HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['a malformed chunk', httpProblems.malformedMessage, 'POST /baskets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
      ['no host', httpProblems.malformedMessage, 'GET /baskets HTTP/1.1\r\nconnection: close\r\n\r\n'],
      ['headers that are too large', httpProblems.headersTooLarge, `GET /baskets HTTP/1.1\r\nhost: x\r\ncookie: ${'x'.repeat(20_000)}\r\n\r\n`],
      ['a path that is too long', httpProblems.headersTooLarge, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
      ['a parameter that is too long', httpProblems.uriTooLong, `GET /baskets/errors/${'x'.repeat(200)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`],
      ['an expectation', httpProblems.expectationFailed, 'GET /baskets HTTP/1.1\r\nhost: x\r\nexpect: wonders\r\n\r\n'],
      ['everything on the server', httpProblems.notFound, 'OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ])('of the protocol: %s', async (_, { code, status }, request) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(request);
      const [head, body] = Buffer.concat(await socket.toArray()).toString().split('\r\n\r\n') as [string, string];
      expect(head, body).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\ncontent-type: application/problem\\+json`, 's'));
      expect(JSON.parse(body)).toMatchObject({ type: `/problems/${code}`, code, status, traceId: /x-request-id: (\S+)/.exec(head)![1] });
      expect(logged).toEqual([]);
    });

    it('get to a caller who reads them only after sending a body that is far too large', async () => {
      const length = 8_000_000;
      const socket = connect(port, '127.0.0.1').pause();
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.write(`POST /baskets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`);
        socket.write('x'.repeat(length), () => resolve());
      });
      const received = Buffer.concat(await socket.resume().toArray()).toString();
      expect(received).toMatch(/^HTTP\/1\.1 413 .*"code":"http\.too-large"/s);
      expect(received).toMatch(/^connection: close\r$/m);
    });

    it.each([
      ['that comes in pieces', 'POST', '/baskets', new Blob(['x'.repeat(3_000)]).stream()],
      ['that a handler finds too large', 'POST', '/baskets/burst', JSON.stringify(basket)],
    ])('about a body %s do not wait for more of it', async (_, method, path, body) => {
      // Whoever gave up waiting would never come.
      vi.useFakeTimers({ toFake: ['setTimeout'] });
      try {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body, duplex: 'half', headers: { 'content-type': 'application/json' } } as RequestInit);
        expect([answer.status, ((await answer.json()) as { status: number }).status]).toEqual([413, 413]);
      } finally {
        vi.useRealTimers();
      }
    });

    it('of the program are logged with their stack, and their text stays inside', async () => {
      const answer = await call('GET', '/baskets/crash', undefined, { 'x-request-id': 'crash-1' });
      expect(answer.status).toBe(500);
      expect(answer.json()).toMatchObject({ status: 500, traceId: 'crash-1', instance: '/baskets/crash' });
      expect(answer.text).not.toMatch(/hunter2|stack|at /);
      expect(logged).toHaveLength(1);
      expect((logged[0]!.line[0] as Error).stack).toContain('BasketsController.crash');
    });
  });

  describe('validation', () => {
    it('gives handlers objects of the declared classes', async () => {
      const answer = await call('POST', '/baskets', basket);
      expect([answer.status, answer.json()]).toEqual([201, { customer: 'QUICK', isClass: true }]);
    });

    it('names every field that is unknown, missing or wrong', async () => {
      const problem = (await call('POST', '/baskets', { lines: [{ quantity: 0 }, { quantity: '1', 'a/b~': 2 }], extra: true })).json();
      expect(problem).toMatchObject({ status: 400, instance: '/baskets' });
      expect(problem.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual(['/customer', '/extra', '/lines/0/quantity', '/lines/1/a~1b~0', '/lines/1/quantity', '/lines/1/quantity']);
      for (const { detail } of problem.errors) expect(detail).toMatch(/./);
    });

    it('does not convert what is not declared to be converted', async () => {
      expect((await call('POST', '/baskets', { ...basket, customer: 5 })).json().errors).toMatchObject([{ pointer: '/customer' }]);
      expect((await call('GET', '/baskets?limit=7')).json()).toEqual({ limit: 7 });
      expect((await call('GET', '/baskets?limit=many')).json().errors[0]).toMatchObject({ pointer: '/limit' });
    });
  });

  describe('the message context', () => {
    const context = { correlationId: 'me.1:2_3-4', tenantId: 'default' };

    it('holds in guards and handlers, also after the body has been read', async () => {
      const answer = await call('POST', '/baskets', basket, { 'x-request-id': context.correlationId });
      expect(answer.headers.get('x-request-id')).toBe(context.correlationId);
      expect(seen).toHaveLength(2);
      for (const each of seen) expect(each).toMatchObject(context);
    });

    it('holds for a body that arrives in pieces, and keeps requests on one connection apart', async () => {
      const socket = connect(port, '127.0.0.1');
      const received: Buffer[] = [];
      socket.on('data', (data) => received.push(data));
      for (const id of ['first', 'second']) {
        const body = JSON.stringify(basket);
        socket.write(`POST /baskets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-request-id: ${id}\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 9)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket.write(body.slice(9));
        await expect.poll(() => Buffer.concat(received).toString()).toContain(`x-request-id: ${id}`);
      }
      socket.destroy();
      expect(seen.map((each) => each?.correlationId)).toEqual(['first', 'first', 'second', 'second']);
    });

    it.each(['', 'x'.repeat(129), 'a b', 'a"b'])('gives a new id when the caller\'s is not usable: %j', async (given) => {
      const answer = await call('GET', '/baskets', undefined, { 'x-request-id': given });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('is a new span in the trace of the caller, which is answered', async () => {
      const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
      const answer = await call('GET', '/baskets', undefined, { traceparent: `00-${trace}-${span}-01`, tracestate: 'rojo=1,congo=2' });
      expect(seen[0]).toMatchObject({ traceparent: expect.stringMatching(`^00-${trace}-(?!${span})[0-9a-f]{16}-01$`), tracestate: 'rojo=1,congo=2' });
      expect(answer.headers.get('traceparent')).toBe(seen[0]?.traceparent);
    });

    it.each(['nonsense', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`])('starts a trace when there is none, or one that is malformed: %s', async (traceparent) => {
      const answers = [await call('GET', '/baskets'), await call('GET', '/baskets', undefined, { traceparent, tracestate: 'rojo=1' }), await call('GET', '/nowhere'), await call('GET', '/baskets/%zz')];
      for (const { headers } of answers) expect(headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(new Set(answers.map(({ headers }) => headers.get('traceparent'))).size).toBe(answers.length);
      expect(seen.map((each) => each?.traceparent)).toEqual(answers.slice(0, 2).map(({ headers }) => headers.get('traceparent')));
      expect(seen[1]).not.toHaveProperty('tracestate');
    });

    it('does not take the tenant from the caller', async () => {
      await call('GET', '/baskets', undefined, { 'x-tenant-id': 'somebody-else' });
      expect(seen[0]).toMatchObject({ tenantId: 'default' });
    });
  });

  it('refuses a compressed body, and says what it takes', async () => {
    const refused = await call('POST', '/baskets', basket, { 'content-encoding': 'gzip' });
    expect([refused.status, refused.headers.get('accept-encoding'), refused.json().code]).toEqual([415, 'identity', 'http.unsupported-media-type']);
    expect((await call('POST', '/baskets', basket, { 'content-encoding': 'identity' })).status).toBe(201);
  });

  describe('the catalogue', () => {
    const get = async (path: string, accept?: string) => call('GET', path, undefined, accept === undefined ? {} : { accept });

    it.each([undefined, '*/*', 'text/html,application/xhtml+xml,*/*;q=0.8', 'application/json;q=0.5, text/html', 'image/png'])('has pages for people (Accept: %s)', async (accept) => {
      const page = await get('/problems/baskets.full', accept);
      expect([page.status, page.headers.get('content-type'), page.headers.get('vary')]).toEqual([200, 'text/html; charset=utf-8', 'accept']);
      expect(page.text).toMatch(/<h1>Basket &lt;full&gt;<\/h1>.*409.*conflict.*There are <code>100<\/code> things in it &amp; no more fit\..*Take &quot;something&quot; out\./s);
      expect(page.text).toMatch(/^<!doctype html>\n<html lang="en">.*<title>Basket &lt;full&gt;<\/title>.*<main>/s);
      expect(page.text).not.toMatch(/(src|href)="(https?:|\/\/)|<script|undefined/);
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    });

    it('has data for programs', async () => {
      const page = await get('/problems/baskets.full', 'application/json');
      expect(page.headers.get('content-type')).toMatch(/^application\/json/);
      expect(page.json()).toEqual({ type: '/problems/baskets.full', status: 409, ...basketFull });
      expect((await get('/problems/http.not-found', 'text/html;q=0.5, application/json')).json()).toEqual({ type: '/problems/http.not-found', ...httpProblems.notFound });
    });

    it('lists them all, with a link to each', async () => {
      const { items } = (await get('/problems', 'application/json')).json() as { items: { code: string; type: string }[] };
      expect(items.map(({ code }) => code)).toEqual([...catalogue.keys()].toSorted());
      const links = [...(await get('/problems')).text.matchAll(/<a href="([^"]+)"/g)].map((match) => match[1]);
      expect(links).toEqual(items.map(({ type }) => type));
    });

    it('refuses a code that stands for two errors, or breaks the rule of names', () => {
      expect(() => problemCatalogue([basketFull, { ...basketFull, title: 'Too much' }])).toThrow(/Two errors have the code "baskets\.full": "Basket <full>" and "Too much"/);
      expect(() => problemCatalogue([{ ...basketFull, code: httpProblems.tooLarge.code }])).toThrow(UsageError);
      expect(() => problemCatalogue([{ ...basketFull, code: 'BasketFull' }])).toThrow(/has the code "BasketFull"/);
    });
  });

  describe('the API document', () => {
    it('names the problems of an operation, those that follow from what it is among them', async () => {
      const { responses } = (await call('GET', '/docs-json')).json().paths['/baskets'].post;
      expect(Object.keys(responses)).toEqual(['201', '400', '409', '413', '415', '500']);
      const { description, content } = responses['400'];
      expect(description).toMatch(/- \[`http\.invalid-request`\]\(\/problems\/http\.invalid-request\) Invalid request: .*\n- \[`http\.malformed-json`/);
      expect(content['application/problem+json'].schema.allOf).toMatchObject([{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: ['http.malformed-message', 'http.invalid-request', 'http.malformed-json', 'http.invalid-idempotency-key'] } } }]);
      expect(responses['409'].description).toBe('[`baskets.full`](/problems/baskets.full) Basket <full>: There are `100` things in it & no more fit.');
    });

    it('names no problem that is not in the catalogue', () => {
      expect(() => openApiDocument(app, { title: '', description: '', version: '1', catalogue: problemCatalogue() })).toThrow(/@ApiProblems of add names "baskets\.full".*\n.*list the error/);
    });

    it('is served with its user interface, and nothing comes from elsewhere', async () => {
      const page = await call('GET', '/docs');
      expect(page.status).toBe(200);
      expect(page.text).not.toMatch(/(src|href)="https?:/);
      const scripts = [...page.text.matchAll(/src="(?:\.\/)?([^"]+\.js)"/g)].map((match) => match[1]!);
      expect(scripts.length).toBeGreaterThan(1);
      expect((await call('GET', '/docs/swagger-ui-bundle.js')).text).toContain('isOAS31');
      for (const script of scripts) expect((await call('GET', new URL(script, 'http://x/').pathname)).status, script).toBe(200);
    });

    it('is served as JSON', async () => {
      const { info, paths } = (await call('GET', '/docs-json')).json();
      expect(info.title).toBe('Baskets');
      expect(Object.keys(paths['/baskets'])).toEqual(['post', 'get']);
    });
  });
});
