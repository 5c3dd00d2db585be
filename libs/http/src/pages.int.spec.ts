import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { Controller, Get, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOperation, ApiProperty, type OpenAPIObject } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString } from 'class-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiProblems } from './api-problems.js';
import { Deprecated } from './deprecation.js';
import { httpAdapter } from './http-adapter.js';
import { httpProblems } from './http-problems.js';
import { serveOpenApi } from './openapi.js';
import { Paged, PagesModule } from './pages.module.js';
import { ApiPage, type Page, PageOf, type Pages, type PlainPage } from './pages.js';
import { ProblemFilter } from './problem.filter.js';
import { parseRouteAliases } from './route-aliases.js';
import { RouteAliasesModule } from './route-aliases.module.js';
import { validationPipe } from './validation.js';

class Thing {
  @ApiProperty({ type: String })
  readonly id!: string;
}

class ThingPage extends PageOf(Thing) {}

class ThingQuery {
  @ApiProperty({ type: String, required: false })
  @IsOptional()
  @IsString()
  readonly colour?: string;

  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  readonly limit?: number;

  @ApiProperty({ type: String, required: false })
  @IsOptional()
  @IsString()
  readonly cursor?: string;
}

const THINGS = ['1', '2', '3', '4', '5'];

async function pageOf({ limit = 2, after = '' }: { readonly limit?: number; readonly after?: string }): Promise<PlainPage<Thing>> {
  const rest = THINGS.filter((id) => id > after);
  return { items: rest.slice(0, limit).map((id) => ({ id })), next: rest.length > limit ? rest[limit - 1]! : null };
}

@Controller()
class ThingsController {
  @Get('things')
  @ApiOperation({ operationId: 'listThings' })
  @ApiPage({ description: 'Some things.', type: ThingPage })
  @ApiProblems(httpProblems.invalidCursor)
  list(@Query() query: ThingQuery, @Paged('listThings') pages: Pages): Promise<ThingPage> {
    return pages.answer(query, pageOf);
  }

  @Get('others')
  @Deprecated({ since: '2025-12-25', documentation: '/docs' })
  others(@Query() query: ThingQuery, @Paged('listOthers') pages: Pages): Promise<ThingPage> {
    return pages.answer(query, pageOf);
  }
}

class App {}

async function start(key: Buffer, tenantId = 'north'): Promise<NestFastifyApplication> {
  const imports = [PagesModule.forRoot({ key }), RouteAliasesModule.forRoot(parseRouteAliases('GET /old-things -> /things since 2025-12-25'))];
  const adapter = httpAdapter({ bodyLimitBytes: 1_000, timeoutMs: 1_000, maxTimeoutMs: 5_000, tenantId });
  const app = await NestFactory.create<NestFastifyApplication>({ module: App, imports, controllers: [ThingsController] }, adapter, { logger: false, abortOnError: false });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  serveOpenApi(app, { title: 'Things', description: '', version: '1' });
  await app.init();
  return app;
}

describe('a list, page by page', () => {
  const key = randomBytes(32);
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(key);
  });
  afterAll(() => app?.close());

  const get = async (url: string, from = app) => {
    const { statusCode, headers, body } = await from.inject(url);
    const links = Object.fromEntries([...String(headers['link'] ?? '').matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(([, target, relation]) => [relation, target]));
    return { status: statusCode, link: headers['link'], links, page: JSON.parse(body) as Page<Thing>, problem: JSON.parse(body) as Record<string, unknown> };
  };

  it('has links to the next and the first page, with the path and the query of the request', async () => {
    const first = await get('/things?limit=2&colour=dark%20%22red%22%3E');
    expect(Object.keys(first.links)).toEqual(['next']);
    expect(first.links['next']).toMatch(/^\/things\?limit=2&colour=dark\+%22red%22%3E&cursor=[\w-]+$/);
    const second = await get(first.links['next']!);
    expect([second.page.items.map(({ id }) => id), second.links['first']]).toEqual([['3', '4'], '/things?limit=2&colour=dark+%22red%22%3E']);
    const third = await get(second.links['next']!);
    expect([third.page.items.map(({ id }) => id), third.page.nextCursor, third.links]).toEqual([['5'], null, { first: second.links['first'] }]);
    expect((await get(third.links['first']!)).page).toEqual(first.page);
    expect((await get('/things?limit=5')).link).toBeUndefined();
    expect((await get(`/things?cursor=${(await get('/things')).page.nextCursor}`)).links['first']).toBe('/things');
  });

  it('goes on with another limit, and once more as often as it is asked', async () => {
    const { nextCursor } = (await get('/things?colour=red')).page;
    for (let again = 0; again < 2; again++) expect((await get(`/things?colour=red&limit=3&cursor=${nextCursor}`)).page).toEqual({ items: [{ id: '3' }, { id: '4' }, { id: '5' }], nextCursor: null });
  });

  it('does not go on in another list, with another filter, for another tenant, or under another key', async () => {
    const { nextCursor } = (await get('/things?colour=red')).page;
    const twin = await start(Buffer.from(key));
    const foreign = [await start(key, 'south'), await start(randomBytes(32))];
    const url = `/things?colour=red&cursor=${nextCursor}`;
    try {
      expect((await get(url, twin)).status).toBe(200);
      const refusals = [await get(`/others?colour=red&cursor=${nextCursor}`), await get(`/things?cursor=${nextCursor}`), await get(`/things?colour=blue&cursor=${nextCursor}`), await get(`${url}A`), await get(url, foreign[0]), await get(url, foreign[1])];
      for (const { problem, link } of refusals) {
        expect(problem).toMatchObject({ status: 400, code: 'http.invalid-cursor', title: 'Invalid cursor', errors: [{ pointer: '/cursor' }] });
        expect(String(link)).not.toMatch(/next|first/);
      }
    } finally {
      for (const each of [twin, ...foreign]) await each.close();
    }
  });

  it('keeps the link to the documentation of a list that is deprecated, and the path that was asked for', async () => {
    const { link } = await get('/others');
    expect(link).toMatch(/^<\/docs>; rel="deprecation", <\/others\?cursor=[\w-]+>; rel="next"$/);
    const old = await get('/old-things?limit=4');
    expect(old.links['next']).toMatch(/^\/old-things\?limit=4&cursor=/);
    expect((await get(`/things?cursor=${old.page.nextCursor}`)).page.items).toEqual([{ id: '5' }]);
  });

  it('has its links for a HEAD, too', async () => {
    expect((await app.inject({ method: 'HEAD', url: '/things' })).headers['link']).toMatch(/^<\/things\?cursor=[\w-]+>; rel="next"$/);
  });

  it('is documented with its links and its refusal', async () => {
    const document = (await app.inject('/docs-json')).json<OpenAPIObject>();
    const { responses } = document.paths['/things']!.get as { responses: Record<string, { headers?: object; content: unknown }> };
    expect(responses['200']).toMatchObject({ description: 'Some things.', headers: { Link: { schema: { type: 'string' } } }, content: { 'application/json': { schema: { $ref: '#/components/schemas/ThingPage' } } } });
    expect(JSON.stringify(responses['400'])).toContain('http.invalid-cursor');
    expect(document.components!.schemas!['ThingPage']).toMatchObject({ required: ['items', 'nextCursor'], properties: { items: { items: { $ref: '#/components/schemas/Thing' } } } });
  });

  it('stops the start without the module that has its key', async () => {
    const adapter = httpAdapter({ bodyLimitBytes: 1_000, timeoutMs: 1_000, maxTimeoutMs: 5_000, tenantId: 'north' });
    await expect(NestFactory.create({ module: App, controllers: [ThingsController] }, adapter, { logger: false, abortOnError: false })).rejects.toThrow(/CursorCodec/);
  });
});
