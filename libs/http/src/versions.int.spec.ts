import 'reflect-metadata';
import { Controller, Get, NotFoundException, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOkResponse, ApiOperation, type OpenAPIObject } from '@nestjs/swagger';
import { DomainError, type ErrorDefinition } from '@nestbox/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiProblems } from './api-problems.js';
import { httpAdapter } from './http-adapter.js';
import { serveOpenApi } from './openapi.js';
import { problemCatalogue } from './problem-catalogue.js';
import { ProblemFilter } from './problem.filter.js';
import { IfMatch, Versioned } from './versions.js';

const changed = { code: 'notes.changed', kind: 'precondition-failed', title: 'Changed', cause: 'It was changed.', cure: 'Read it again.' } as const satisfies ErrorDefinition;
const catalogue = problemCatalogue([changed]);

@Controller('notes')
class NotesController {
  // The order of the decorators makes no difference.
  @Get(':id')
  @Versioned()
  @ApiOkResponse({ description: 'The note.' })
  @ApiOperation({ operationId: 'getNote' })
  @ApiProblems()
  get(@Param('id') id: string) {
    if (id === 'lost') throw new NotFoundException('It is lost.');
    return { id, version: 3 };
  }

  @ApiOkResponse({ description: 'The note.' })
  @ApiOperation({ operationId: 'getOldNote' })
  @Versioned()
  @Get('old/:id')
  getOld(@Param('id') id: string) {
    return Promise.resolve(id === 'older' ? { id } : { id, version: 0 });
  }

  @Post(':id')
  @ApiOperation({ operationId: 'change' })
  @ApiProblems()
  change(@Param('id') id: string, @IfMatch() ifVersion?: readonly number[]) {
    if (ifVersion && !ifVersion.includes(3)) throw new DomainError(changed, 'It was changed.');
    return { id, ifVersion: ifVersion ?? 'any' };
  }
}

class App {}

describe('versions over HTTP', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    const adapter = httpAdapter({ bodyLimitBytes: 1_000, timeoutMs: 1_000, maxTimeoutMs: 5_000, tenantId: 'default' });
    app = await NestFactory.create<NestFastifyApplication>({ module: App, controllers: [NotesController] }, adapter, { logger: false, abortOnError: false });
    app.useGlobalFilters(new ProblemFilter(catalogue));
    serveOpenApi(app, { title: 'Notes', description: 'For a test.', version: '1', catalogue, problems: { conditional: [changed] } });
    await app.init();
  });
  afterAll(() => app?.close());

  const read = (headers: Record<string, string> = {}, url = '/notes/a', method: 'GET' | 'HEAD' = 'GET') => app.inject({ method, url, headers });
  const change = (ifMatch?: string) => app.inject({ method: 'POST', url: '/notes/a', headers: ifMatch === undefined ? {} : { 'if-match': ifMatch } });

  it('are said with every answer of a read, as a strong entity tag', async () => {
    for (const [url, tag] of [['/notes/a', '"3"'], ['/notes/old/a', '"0"']] as const) {
      const answer = await read({}, url);
      expect([answer.statusCode, answer.headers.etag]).toEqual([200, tag]);
    }
    expect((await read({}, '/notes/a', 'HEAD')).headers.etag).toBe('"3"');
  });

  it.each(['"3"', 'W/"3"', '"1", "3"', ' "1","3" ,', ', ,"3"', '"a,b",W/"3"', '*', '"", "3"'])('are not sent again to who has them already: If-None-Match: %s', async (tags) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await read({ 'if-none-match': tags }, '/notes/a', method);
      expect([answer.statusCode, answer.body, answer.headers.etag, answer.headers['content-type']]).toEqual([304, '', '"3"', undefined]);
    }
  });

  it.each(['"2"', 'W/"2"', '"03"', '"3 "', '3', '""', '"1, "3"', 'w/"3"', ''])('are sent to who has others, or says nothing that can be read: If-None-Match: %s', async (tags) => {
    expect((await read({ 'if-none-match': tags })).json()).toEqual({ id: 'a', version: 3 });
  });

  it('have no tag where there is none: in refusals, and in answers of an older process', async () => {
    const lost = await read({ 'if-none-match': '*' }, '/notes/lost');
    expect([lost.statusCode, lost.headers.etag]).toEqual([404, undefined]);
    const older = await read({ 'if-none-match': '*' }, '/notes/old/older');
    expect([older.statusCode, older.headers.etag]).toEqual([200, undefined]);
  });

  it.each([
    [undefined, 'any'], ['*', 'any'], [' * ', 'any'], ['"3"', [3]], ['"1", "3"', [1, 3]], [', "3",, "3"', [3]], ['W/"1", "3"', [3]], ['"abc", "3", "03", "3.0", "-3", "9999999999999999"', [3]],
  ])('are what a change may require: If-Match: %s', async (header, ifVersion) => {
    const answer = await change(header);
    expect([answer.statusCode, answer.json<unknown>()]).toEqual([201, { id: 'a', ifVersion }]);
  });

  it.each(['"2"', 'W/"3"', '"abc"', '"03"', '""'])('match neither another version nor a weak or foreign tag: If-Match: %s', async (header) => {
    expect((await change(header)).json()).toMatchObject({ status: 412, code: 'notes.changed' });
  });

  it.each(['', '3', '"3', '"1" "3"', '*, "3"', 'W/3', '"a"b"', ',', '"3";', Array.from({ length: 101 }, (_, version) => `"${version}"`).join()])('are refused in words when they cannot be read: If-Match: %s', async (header) => {
    const answer = await change(header);
    expect(answer.json()).toMatchObject({ status: 400, code: 'http.invalid-if-match', detail: expect.stringContaining('entity tags in double quotes') });
  });

  it('are read in a time that grows with the header, not faster', async () => {
    expect((await change(`${' ,\t'.repeat(5_000)}x`)).statusCode).toBe(400);
  });

  it('are documented, wherever the decorator stands', async () => {
    const { paths } = (await app.inject('/docs-json')).json<OpenAPIObject>();
    for (const path of ['/notes/{id}', '/notes/old/{id}']) {
      const { responses, parameters } = paths[path]!.get!;
      expect(Object.keys(responses).filter((status) => status < '400')).toEqual(['200', '304']);
      expect(responses['200']).toMatchObject({ description: 'The note.', headers: { ETag: { schema: { type: 'string' } } } });
      expect(responses['304']).toMatchObject({ headers: { ETag: {} } });
      expect(responses['304']).not.toHaveProperty('content');
      expect(parameters).toContainEqual(expect.objectContaining({ name: 'If-None-Match', in: 'header', required: false }));
    }
    const { parameters, responses } = paths['/notes/{id}']!.post!;
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'If-Match', in: 'header', required: false }));
    expect(Object.keys(responses)).toContain('412');
    expect(JSON.stringify(responses['400'])).toContain('http.invalid-if-match');
    expect(JSON.stringify(paths)).not.toMatch(/x-(versioned|conditional)/);
  });
});
