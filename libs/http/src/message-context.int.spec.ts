import 'reflect-metadata';
import { Controller, Get, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { currentMessage, type MessageContext } from '@nestbox/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { httpAdapter } from './http-adapter.js';
import { problemCatalogue } from './problem-catalogue.js';
import { ProblemFilter } from './problem.filter.js';

let seen: MessageContext | undefined;

@Controller('notes')
class NotesController {
  @Post()
  add(): void {
    seen = currentMessage();
  }

  @Get()
  list(): void {
    seen = currentMessage();
  }
}

class App {}

describe('a caller', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    const adapter = httpAdapter({ bodyLimitBytes: 1_000, timeoutMs: 1_000, maxTimeoutMs: 5_000, tenantId: 'default' });
    app = await NestFactory.create<NestFastifyApplication>({ module: App, controllers: [NotesController] }, adapter, { logger: false, abortOnError: false });
    app.useGlobalFilters(new ProblemFilter(problemCatalogue()));
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app?.close());
  beforeEach(() => {
    seen = undefined;
  });

  const contextOf = async (method: string, headers: Record<string, string>) => {
    const answer = await fetch(`${url}/notes`, { method, headers });
    return { answer, context: seen };
  };

  it.each([
    ['of RFC 8941', '"a \\"quoted\\" key"', 'a "quoted" key'],
    ['as many send it', '8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ])('may give a command a key: a string %s', async (_, header, key) => {
    const { answer, context } = await contextOf('POST', { 'idempotency-key': header });
    expect([answer.status, context!.idempotencyKey]).toEqual([201, key]);
    expect(answer.headers.get('idempotent-replayed')).toBeNull();
    context!.onReplay!();
  });

  it.each([[''], ['""'], ['"open'], ['two words'], ['x'.repeat(256)], ['"a", "b"']])('is told what is wrong with the key %j', async (header) => {
    const { answer } = await contextOf('POST', { 'idempotency-key': header });
    expect(await answer.json()).toMatchObject({ status: 400, detail: expect.stringContaining('Idempotency-Key must be') as string });
  });

  it('needs no key for what changes nothing', async () => {
    const { answer, context } = await contextOf('GET', { 'idempotency-key': 'two words' });
    expect([answer.status, context!.idempotencyKey]).toEqual([200, undefined]);
  });

  it.each([
    [undefined, 1_000],
    ['wait=3', 3_000],
    ['respond-async, wait="2"; foo', 2_000],
    ['wait=60', 5_000],
    ['wait=soon', 1_000],
  ])('may say how long it is willing to wait, up to a limit (%s)', async (prefer, ms) => {
    const before = Date.now();
    const { context } = await contextOf('GET', prefer === undefined ? {} : { prefer });
    expect(context!.deadline!).toBeGreaterThanOrEqual(before + ms);
    expect(context!.deadline!).toBeLessThanOrEqual(Date.now() + ms);
  });
});
