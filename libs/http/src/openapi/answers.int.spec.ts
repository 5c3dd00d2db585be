import 'reflect-metadata';
import { Controller, Get, Header, HttpCode, type LoggerService, NotFoundException, Param, Post, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiExcludeEndpoint, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiProduces, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiProblems } from '../api-problems.js';
import { httpAdapter } from '../http-adapter.js';
import { httpProblems } from '../http-problems.js';
import { serveOpenApi } from '../openapi.js';
import { problemCatalogue } from '../problem-catalogue.js';
import { ProblemFilter } from '../problem.filter.js';
import { parseRouteAliases } from '../route-aliases.js';
import { RouteAliasesModule } from '../route-aliases.module.js';

class Place {
  @ApiProperty({ type: String })
  readonly shelf!: string;
}

class Book {
  @ApiProperty({ type: String, format: 'uuid' })
  readonly id!: string;

  @ApiProperty({ type: String, enum: ['new', 'used'] })
  readonly condition!: string;

  @ApiProperty({ type: 'integer', minimum: 1 })
  readonly pages!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly bought!: Date;

  @ApiProperty({ type: String, nullable: true })
  readonly title!: string | null;

  @ApiProperty({ type: () => Place, nullable: true, description: 'Null: lent.' })
  readonly place!: Place | null;

  @ApiProperty({ type: () => Book, isArray: true, description: 'Those that it quotes.' })
  readonly quotes!: Book[];

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  readonly notes?: Record<string, unknown>;
}

const id = '019acf5e-7c00-7000-8000-000000000000';
const book = { id, condition: 'used', pages: 7, bought: new Date(0), title: null, place: { shelf: 'A "1"' }, quotes: [], notes: { any: [1, { thing: null }] } };
const asJson = { ...book, bought: '1970-01-01T00:00:00.000Z' };

/** What a book is answered as, by its name. */
const SHELF: Readonly<Record<string, object>> = {
  whole: book,
  quoting: { ...book, title: 'Käse – a "history"\n', place: null, quotes: [{ ...book, quotes: [book] }], notes: undefined },
  leaking: { ...book, password: 'hunter2', place: { shelf: 'A', owner: 'me' } },
  torn: { ...book, pages: undefined },
  odd: { ...book, id: 'seven', condition: 'burnt', pages: 0, title: 7 },
};

@Controller('books')
class BooksController {
  @Get(':name')
  @ApiOperation({ operationId: 'getBook' })
  @ApiOkResponse({ description: 'The book.', type: Book })
  @ApiProblems(httpProblems.notFound)
  get(@Param('name') name: string) {
    if (name === 'lost') throw new NotFoundException('It is lost.');
    if (name === 'broken') throw new Error('secret');
    return SHELF[name];
  }

  @Post(':name')
  @ApiOperation({ operationId: 'readBook' })
  @ApiNoContentResponse({ description: 'It is read.' })
  @HttpCode(204)
  @ApiProblems()
  read(@Param('name') name: string) {
    if (name === 'lost') throw new NotFoundException('It is lost.');
    return name === 'whole' ? undefined : book;
  }

  @Post(':name/copies')
  @ApiOperation({ operationId: 'copyBook' })
  @ApiOkResponse({ description: 'The copy.', type: Book })
  copy() {
    return book;
  }

  @Get(':name/text')
  @ApiOperation({ operationId: 'getText' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'The text.', type: String })
  @Header('content-type', 'text/plain')
  text() {
    return 'Once upon a time';
  }

  @Get(':name/cover')
  @ApiOperation({ operationId: 'getCover' })
  @ApiProduces('image/png')
  @ApiOkResponse({ description: 'The cover.', type: String })
  @Header('content-type', 'text/html')
  cover() {
    return '<p>None</p>';
  }

  @Get(':name/scan')
  @ApiOperation({ operationId: 'getScan' })
  @ApiProduces('application/pdf')
  @ApiOkResponse({ description: 'The pages.', schema: { type: 'string', format: 'binary' } })
  scan() {
    return new StreamableFile(Buffer.from('%PDF'), { type: 'application/pdf' });
  }

  @Get(':name/secret')
  @ApiExcludeEndpoint()
  secret() {
    return { anything: 'goes' };
  }
}

class App {}

const logged: unknown[][] = [];
const logger: LoggerService = { log: () => undefined, warn: () => undefined, error: (...line: unknown[]) => void logged.push(line) };

async function start(checkAnswers: boolean): Promise<NestFastifyApplication> {
  const module = { module: App, imports: [RouteAliasesModule.forRoot(parseRouteAliases('GET /old/:name -> /books/:name since 2026-01-01'))], controllers: [BooksController] };
  const adapter = httpAdapter({ bodyLimitBytes: 1_000, timeoutMs: 1_000, maxTimeoutMs: 5_000, tenantId: 'default' });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger, abortOnError: false });
  app.useGlobalFilters(new ProblemFilter(problemCatalogue()));
  serveOpenApi(app, { title: 'Books', description: 'For a test.', version: '1', checkAnswers });
  await app.init();
  return app;
}

describe('answers', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(false);
  });
  afterAll(() => app?.close());

  it('are written as JSON would be, dates, lists, and what may be null', async () => {
    expect((await app.inject('/books/whole')).json()).toEqual(asJson);
    expect((await app.inject('/books/quoting')).body).toBe(JSON.stringify(SHELF['quoting']));
  });

  it.each(['/books/leaking', '/old/leaking'])('have no field that is not in the document: %s', async (url) => {
    const { body } = await app.inject(url);
    expect(JSON.parse(body)).toEqual({ ...asJson, place: { shelf: 'A' } });
    expect(body).not.toMatch(/hunter2|owner/);
  });

  it('are a problem when a field is missing, and say nothing internal', async () => {
    const answer = await app.inject('/books/torn');
    expect(answer.json()).toMatchObject({ status: 500, code: 'http.internal-error' });
    expect(answer.body).not.toContain('pages');
  });

  it('that are problems, or are not in the document, come as ever', async () => {
    expect((await app.inject('/books/lost')).json()).toEqual({ type: '/problems/http.not-found', title: 'Not found', status: 404, detail: 'It is lost.', code: 'http.not-found', instance: '/books/lost', traceId: expect.any(String) });
    expect((await app.inject('/books/whole/secret')).json()).toEqual({ anything: 'goes' });
    expect((await app.inject('/books/whole/cover')).body).toBe('<p>None</p>');
  });
});

describe('answers that are checked', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(true);
  });
  afterAll(() => app?.close());
  beforeEach(() => void (logged.length = 0));

  it.each([
    ['GET', '/books/whole', 200], ['GET', '/books/quoting', 200], ['HEAD', '/books/whole', 200], ['GET', '/books/lost', 404], ['GET', '/books/broken', 500],
    ['POST', '/books/whole', 204], ['GET', '/books/whole/text', 200], ['GET', '/books/whole/scan', 200], ['GET', '/books/whole/secret', 200], ['GET', '/old/whole', 200], ['GET', '/nowhere', 404],
  ] as const)('pass when they are as the document says: %s %s', async (method, url, status) => {
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.body.includes('undocumented')]).toEqual([status, false]);
  });

  it.each([
    ['GET', '/books/leaking', 'get /books/{name}, 200: /place/owner is not documented; /password is not documented.'],
    ['GET', '/old/leaking', 'get /books/{name}, 200: /place/owner is not documented; /password is not documented.'],
    ['GET', '/books/torn', 'get /books/{name}, 200: /pages is missing.'],
    ['GET', '/books/odd', 'get /books/{name}, 200: /id must match format "uuid"; /condition is "burnt", not one of new, used; /pages must be >= 1; /title must be string,null.'],
    ['GET', '/books/nothing', 'get /books/{name}, 200: the document has application/json there, and not no body.'],
    ['POST', '/books/lost', 'post /books/{name}, 404: the document has no such status, only 204, 400, 413, 414, 415, 500.'],
    ['POST', '/books/whole/copies', 'post /books/{name}/copies, 201: the document has no such status, only 200.'],
    ['POST', '/books/torn', 'post /books/{name}, 204: the document has no body there, and not application/json.'],
    ['GET', '/books/whole/cover', 'get /books/{name}/cover, 200: the document has image/png there, and not text/html.'],
  ] as const)('are a problem that says where they differ, and logged: %s %s', async (method, url, detail) => {
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([500, expect.stringMatching(/^application\/problem\+json/)]);
    expect(answer.json()).toMatchObject({ code: 'http.undocumented-answer', detail });
    expect(logged.map(([error]) => (error as Error).message)).toEqual([detail]);
  });
});
