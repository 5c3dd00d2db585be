import 'reflect-metadata';
import { Controller, Get, NotFoundException, Param, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOperation, type OpenAPIObject } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deprecated } from './deprecation.js';
import { httpAdapter } from './http-adapter.js';
import { serveOpenApi } from './openapi.js';
import { ProblemFilter } from './problem.filter.js';
import { parseRouteAliases, type RouteAlias } from './route-aliases.js';
import { RouteAliasesModule } from './route-aliases.module.js';

const CHRISTMAS = Date.UTC(2025, 11, 25) / 1_000;

@Controller('v1/things')
class ThingsController {
  // The order of the two makes no difference.
  @Get('old/:id')
  @Deprecated({ since: '2025-12-25', sunset: '2026-12-25T12:00:00Z', documentation: '/docs' })
  @ApiOperation({ operationId: 'getOldThing', description: 'Reads a thing.' })
  getOld(@Param('id') id: string) {
    if (id === 'lost') throw new NotFoundException('It is lost.');
    return { id };
  }

  @ApiOperation({ operationId: 'listThings' })
  @Deprecated({ since: '2025-12-25' })
  @Get()
  list() {
    return { items: [] };
  }

  @Get(':id/parts/:part')
  part(@Param('id') id: string, @Param('part') part: string) {
    if (id === 'lost') throw new NotFoundException('It is lost.');
    return { id, part };
  }
}

class App {}

async function start(aliases: readonly RouteAlias[], controller: Type = ThingsController): Promise<NestFastifyApplication> {
  const module = { module: App, imports: [RouteAliasesModule.forRoot(aliases)], controllers: [controller] };
  const adapter = httpAdapter({ bodyLimitBytes: 1_000, timeoutMs: 1_000, maxTimeoutMs: 5_000, tenantId: 'default' });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ProblemFilter());
  serveOpenApi(app, { title: 'Things', description: '', version: '1' });
  await app.init();
  return app;
}

describe('what should not be used any more', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await start(parseRouteAliases('GET /v1/thing/:part/of/:id -> /v1/things/:id/parts/:part since 2025-12-25 until 2026-12-25;\n GET /thing -> /v1/things since 2025-12-25'));
  });
  afterAll(() => app?.close());

  it('says so with every answer, be it a refusal', async () => {
    for (const [id, status] of [['1', 200], ['lost', 404]] as const) {
      const { statusCode, headers } = await app.inject(`/v1/things/old/${id}`);
      expect([statusCode, headers['deprecation'], headers['sunset'], headers['link']]).toEqual([status, `@${CHRISTMAS}`, 'Fri, 25 Dec 2026 12:00:00 GMT', '</docs>; rel="deprecation", </docs>; rel="sunset"']);
    }
    const { headers } = await app.inject('/v1/things');
    expect([headers['deprecation'], headers['sunset'], headers['link']]).toEqual([`@${CHRISTMAS}`, undefined, undefined]);
  });

  it('is marked in the API document', async () => {
    const { paths } = (await app.inject('/docs-json')).json<OpenAPIObject>();
    expect(paths['/v1/things/old/{id}']!.get).toMatchObject({
      operationId: 'getOldThing', deprecated: true, description: 'Reads a thing.\n\nDeprecated since 2025-12-25. It may stop to answer on 2026-12-25T12:00:00Z. See [what to use instead](/docs).',
    });
    expect(paths['/v1/things/old/{id}']!.get!.responses['200']).toMatchObject({ headers: { Deprecation: { schema: { examples: [`@${CHRISTMAS}`] } }, Sunset: {}, Link: {} } });
    expect(paths['/v1/things']!.get).toMatchObject({ operationId: 'listThings', deprecated: true, description: 'Deprecated since 2025-12-25.' });
    expect(paths['/v1/things/{id}/parts/{part}']!.get!.deprecated).toBeUndefined();
    expect(JSON.stringify(paths)).not.toContain('x-deprecation');
  });

  it('may be a path: it answers like the route behind it, for its head, too', async () => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await app.inject({ method, url: '/v1/thing/wheel/of/car' });
      expect([answer.statusCode, answer.headers['deprecation'], answer.headers['sunset']]).toEqual([200, `@${CHRISTMAS}`, 'Fri, 25 Dec 2026 00:00:00 GMT']);
      expect(answer.body).toBe(method === 'GET' ? '{"id":"car","part":"wheel"}' : '');
    }
    const lost = await app.inject('/v1/thing/wheel/of/lost');
    expect(lost.json()).toMatchObject({ status: 404, detail: 'It is lost.', instance: '/v1/thing/wheel/of/lost' });
    expect(lost.headers['deprecation']).toBe(`@${CHRISTMAS}`);
    expect((await app.inject('/v1/things/car/parts/wheel')).headers['deprecation']).toBeUndefined();
    expect((await app.inject({ method: 'DELETE', url: '/thing' })).headers['allow']).toBe('GET, HEAD');
    expect((await app.inject('/thing')).json()).toEqual({ items: [] });
  });

  it.each([
    ['GET /v1/thing', /The route alias "GET \/v1\/thing" cannot be read\..*\n.*for example: GET \/v1\/order\/:id -> /],
    ['GET /v1/thing -> /v1/things', /cannot be read/],
    ['get /v1/thing -> /v1/things since 2026-01-01', /cannot be read/],
    ['GET /v1/thing -> /v1/nothing since 2026-01-01', /GET \/v1\/thing leads to GET \/v1\/nothing, and there is no such route/],
    ['POST /v1/thing -> /v1/things since 2026-01-01', /leads to POST \/v1\/things, and there is no such route/],
    ['GET /v1/things/:id/parts/:part -> /v1/things since 2026-01-01', /is a route, or an alias, already/],
    ['GET /thing -> /v1/things since 2026-01-01; GET /thing -> /v1/things since 2026-01-01', /GET \/thing is a route, or an alias, already/],
    ['GET /a -> /v1/things since 2026-01-01; GET /b -> /a since 2026-01-01', /leads to GET \/a, and there is no such route/],
    ['GET /v1/thing/:name -> /v1/things/old/:id since 2026-01-01', /has the parameters \(name\), and \/v1\/things\/old\/:id has \(id\)/],
    ['GET /thing -> /v1/things since yesterday', /The route alias GET \/thing has the date "yesterday", which is none/],
    ['GET /thing -> /v1/things since 2026-01-01 until 2025-01-01', /since 2026-01-01, and its sunset is before that: 2025-01-01/],
  ])('stops the start when it makes no sense: %s', async (text, message) => {
    await expect((async () => start(parseRouteAliases(text)))()).rejects.toThrow(message);
  });

  it('has dates that are dates', () => {
    expect(() => Deprecated({ since: '2026-13-01' })(ThingsController.prototype, 'list', {})).toThrow(/ThingsController\.list has the date "2026-13-01"/);
  });
});
