import 'reflect-metadata';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { Body, Controller, Get, Header, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { currentMessage } from '@nestbox/kernel';
import { httpAdapter, type HttpAdapterOptions } from './http-adapter.js';
import { serveOpenApi } from './openapi.js';
import { problemCatalogue } from './problem-catalogue.js';
import { ProblemFilter } from './problem.filter.js';

@Controller()
class NotesController {
  @Get('notes')
  @Header('etag', '"1"')
  list() {
    return { notes: [] };
  }

  @Post('notes')
  add(@Body() note: unknown) {
    return { note };
  }

  /** More than the buffers of a connection hold. */
  @Get('enormous')
  enormous() {
    return { text: 'x'.repeat(64_000_000) };
  }

  @Get('whoami')
  whoami() {
    const { identity, tenantId } = currentMessage()!;
    return { identity, tenantId };
  }

  @Get('health/live')
  live() {
    return { status: 'ok' };
  }
}

class App {}

/** A server of this library alone, listening on a port of its own. */
export async function startServer(options: Partial<HttpAdapterOptions>): Promise<TestServer> {
  const adapter = httpAdapter({ bodyLimitBytes: 100_000, timeoutMs: 10_000, maxTimeoutMs: 10_000, tenantId: 'default', ...options });
  const app = await NestFactory.create<NestFastifyApplication>({ module: App, controllers: [NotesController] }, adapter, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ProblemFilter(problemCatalogue([])));
  serveOpenApi(app, { title: 'Notes', description: 'For a test.', version: '1' });
  await app.listen(0, '127.0.0.1');
  return new TestServer(app, (app.getHttpServer().address() as { port: number }).port);
}

export class TestServer {
  constructor(
    private readonly app: NestFastifyApplication,
    readonly port: number,
  ) {}

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }

  connect(): Socket {
    return connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
  }

  /** Sends bytes on a connection of their own, and reads until the server has closed it. */
  async send(text: string): Promise<RawAnswer> {
    const socket = this.connect();
    socket.write(text);
    return answerOn(socket);
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return promisify((done: (error: Error | null, count: number) => void) => void this.app.getHttpServer().getConnections(done))();
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** What a connection receives until the server closes it. */
export async function answerOn(socket: Socket): Promise<RawAnswer> {
  const received: Buffer[] = [];
  socket.on('data', (data) => received.push(data));
  await new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()).on('error', () => resolve()));
  socket.destroy();
  const text = Buffer.concat(received).toString();
  const [head = '', ...body] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head, body: body.join('\r\n\r\n') };
}
