import 'reflect-metadata';
import { connect } from 'node:net';
import { Body, Controller, Get, type CanActivate, Injectable, type LoggerService, Param, Post, Query, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiProperty } from '@nestjs/swagger';
import { currentMessage, DomainError, type ErrorKind, type MessageContext } from '@nestbox/kernel';
import { Type } from 'class-transformer';
import { ArrayNotEmpty, IsArray, IsInt, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { httpAdapter } from './http-adapter.js';
import { serveOpenApi } from './openapi.js';
import { ProblemFilter } from './problem.filter.js';
import { validationPipe } from './validation.js';

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
    throw new DomainError(kind, 'baskets.refused', 'The basket is refused.', { basket: 7 });
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
    app = await NestFactory.create<NestFastifyApplication>({ module: App, controllers: [BasketsController], providers: [Watchful] }, httpAdapter({ bodyLimitBytes: 1000, timeoutMs: 1000, tenantId: 'default' }), { logger, abortOnError: false });
    app.useGlobalFilters(new ProblemFilter());
    app.useGlobalPipes(validationPipe());
    serveOpenApi(app, { title: 'Baskets', description: 'For a test.', version: '1' });
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
    it.each<[ErrorKind, number]>([['invalid', 422], ['not-found', 404], ['conflict', 409], ['forbidden', 403], ['unavailable', 503]])('of the domain: %s is %i', async (kind, status) => {
      const answer = await call('GET', `/baskets/errors/${kind}?x=1`);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({ status, code: 'baskets.refused', detail: 'The basket is refused.', instance: `/baskets/errors/${kind}`, traceId: answer.headers.get('x-request-id') });
      expect(answer.status).toBe(status);
    });

    it.each([
      ['an unknown route', 404, 'GET', '/nowhere', undefined, {}],
      ['an unknown method', 404, 'DELETE', '/baskets', undefined, {}],
      ['a malformed URL', 400, 'GET', '/baskets/%zz', undefined, {}],
      ['malformed JSON', 400, 'POST', '/baskets', '{"customer":', {}],
      ['an empty JSON body', 400, 'POST', '/baskets', '', {}],
      ['JSON that reaches for the prototype', 400, 'POST', '/baskets', '{"__proto__":{"x":1}}', {}],
      ['a body that is too large', 413, 'POST', '/baskets', { ...basket, customer: 'x'.repeat(2000) }, {}],
      ['another content type', 415, 'POST', '/baskets', '<basket/>', { 'content-type': 'application/xml' }],
      ['a form', 415, 'POST', '/baskets', 'customer=QUICK', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['plain text', 415, 'POST', '/baskets', 'hello', { 'content-type': 'text/plain' }],
      ['no body', 400, 'POST', '/baskets', undefined, {}],
      ['an array for an object', 400, 'POST', '/baskets', [basket], {}],
      ['null for an object', 400, 'POST', '/baskets', 'null', {}],
      ['a string for an object', 400, 'POST', '/baskets', '"basket"', {}],
    ])('of the request: %s is %i', async (_, status, method, path, body, headers) => {
      const answer = await call(method, path, body, headers);
      expect(answer.status, answer.text).toBe(status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      const problem = answer.json();
      expect(problem).toMatchObject({ status, instance: path, traceId: answer.headers.get('x-request-id') });
      expect(problem.traceId).toMatch(/./);
      for (const key of ['type', 'title', 'detail', 'code']) expect(problem[key]).toMatch(/./);
      expect(logged).toEqual([]);
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

    it('passes a trace context on, and drops one that is malformed', async () => {
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      await call('GET', '/baskets', undefined, { traceparent });
      await call('GET', '/baskets', undefined, { traceparent: 'nonsense' });
      expect(seen.map((each) => each?.traceparent)).toEqual([traceparent, undefined]);
    });

    it('does not take the tenant from the caller', async () => {
      await call('GET', '/baskets', undefined, { 'x-tenant-id': 'somebody-else' });
      expect(seen[0]).toMatchObject({ tenantId: 'default' });
    });
  });

  describe('the API document', () => {
    it('is served with its user interface, and nothing comes from elsewhere', async () => {
      const page = await call('GET', '/docs');
      expect(page.status).toBe(200);
      expect(page.text).not.toMatch(/(src|href)="https?:/);
      const scripts = [...page.text.matchAll(/src="(?:\.\/)?([^"]+\.js)"/g)].map((match) => match[1]!);
      expect(scripts.length).toBeGreaterThan(1);
      for (const script of scripts) expect((await call('GET', new URL(script, 'http://x/').pathname)).status, script).toBe(200);
    });

    it('is served as JSON', async () => {
      const { info, paths } = (await call('GET', '/docs-json')).json();
      expect(info.title).toBe('Baskets');
      expect(Object.keys(paths['/baskets'])).toEqual(['post', 'get']);
    });
  });
});
