import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answerOn, type RawAnswer, startServer, type TestServer } from './fixture.spec.js';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Sends one byte at a time, until the server has had enough. */
async function trickle(socket: Socket, text: string): Promise<RawAnswer> {
  const answer = answerOn(socket);
  const timer = setInterval(() => socket.writable && socket.write(text), 5);
  try {
    return await answer;
  } finally {
    clearInterval(timer);
  }
}

function expectProblem({ status, head, body }: RawAnswer, expected: object): void {
  expect(head).toMatch(/^content-type: application\/problem\+json\r?$/m);
  expect(head).toMatch(/^connection: close\r?$/m);
  expect(head).toMatch(/^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r?$/m);
  const problem = JSON.parse(body) as { traceId: string };
  expect(problem).toMatchObject({ status, ...expected });
  expect(head).toContain(`x-request-id: ${problem.traceId}`);
}

describe('a client that is slow', () => {
  it('with its headers is cut off', async () => {
    server = await startServer({ limits: { receiveTimeoutMs: 300 } });
    const socket = server.connect();
    socket.write('GET /notes HTTP/1.1\r\nhost: x\r\nx-slow: ');
    expectProblem(await trickle(socket, 'x'), { status: 408, code: 'http.request-timeout' });
  });

  it('with its body is cut off, and is told by the id that it gave', async () => {
    server = await startServer({ limits: { receiveTimeoutMs: 300 } });
    const socket = server.connect();
    socket.write('POST /notes HTTP/1.1\r\nhost: x\r\nx-request-id: slow-1\r\ncontent-type: application/json\r\ncontent-length: 50000\r\n\r\n"');
    expectProblem(await trickle(socket, 'x'), { status: 408, code: 'http.request-timeout', instance: '/notes', traceId: 'slow-1' });
  });

  it('to say anything at all is cut off', async () => {
    server = await startServer({ limits: { receiveTimeoutMs: 300 } });
    expectProblem(await answerOn(server.connect()), { status: 408, code: 'http.request-timeout' });
  });

  it('to read is cut off', async () => {
    server = await startServer({ limits: { idleTimeoutMs: 300 } });
    const socket = server.connect().pause();
    socket.write('GET /enormous HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    await expect.poll(() => server!.connections()).toBe(0);
    // Only now does it look at what has become of the connection.
    expect((await answerOn(socket.resume())).body.length).toBeLessThan(64_000_000);
  });

  it('does not keep others waiting', async () => {
    server = await startServer({ limits: { receiveTimeoutMs: 60_000 } });
    const slow = Array.from({ length: 50 }, () => server!.connect());
    for (const socket of slow) socket.write('POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n');
    expect((await server.fetch('/notes')).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

describe('a request that is too large', () => {
  it('with its headers is refused', async () => {
    server = await startServer({ limits: { headerLimitBytes: 2_000 } });
    expectProblem(await server.send(`GET /notes HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(1_000_000)}\r\n\r\n`), { status: 431, code: 'http.headers-too-large' });
    expect((await server.fetch('/notes', { headers: { 'x-long': 'x'.repeat(1_000) } })).status).toBe(200);
  });

  it('with the number of its headers is refused', async () => {
    server = await startServer({ limits: { headerLimitCount: 20 } });
    const headers = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: x\r\n`).join('');
    const request = (count: number) => server!.send(`GET /notes HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers(count)}\r\n`);
    expect((await request(18)).status).toBe(200);
    for (const count of [19, 200]) {
      const answer = await request(count);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([431, expect.objectContaining({ code: 'http.headers-too-large' })]);
    }
  });

  it('with the extensions of its chunks is refused', async () => {
    server = await startServer({});
    const answer = await server.send(`POST /notes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\n1;${'x'.repeat(100_000)}\r\n1\r\n0\r\n\r\n`);
    expectProblem(answer, { status: 413, code: 'http.too-large' });
  });
});

describe('what is no request', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a TLS handshake', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'],
    ['a length that is none', 'POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n'],
    ['two ways to say where it ends', 'POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('is refused as a problem: %s', async (_, text) => {
    server = await startServer({});
    expectProblem(await server.send(text), { status: 400, code: 'http.malformed-message' });
  });

  it('leaves the answer before it whole', async () => {
    server = await startServer({});
    const answer = await server.send('GET /enormous HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n');
    expect(answer.status).toBe(200);
    expect((JSON.parse(answer.body) as { text: string }).text).toHaveLength(64_000_000);
  });
});

describe('connections', () => {
  it('are as many as they may be', async () => {
    server = await startServer({ limits: { maxConnections: 2 } });
    const held = [server.connect(), server.connect()];
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    expect((await server.send('GET /notes HTTP/1.1\r\nhost: x\r\n\r\n')).status).toBeNaN();
    for (const socket of held) socket.destroy();
    await expect.poll(() => server!.fetch('/notes').then(({ status }) => status, () => 0)).toBe(200);
  });

  it('are not used for ever', async () => {
    server = await startServer({ limits: { requestsPerConnection: 2, keepAliveTimeoutMs: 100 } });
    const { head, body } = await server.send('GET /notes HTTP/1.1\r\nhost: x\r\n\r\nGET /notes HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(`${head}\r\n\r\n${body}`.toLowerCase().match(/^connection: .*(?=\r$)/gm)).toEqual(['connection: keep-alive', 'connection: close']);
  });

  it('are closed when they are silent between requests', async () => {
    server = await startServer({ limits: { keepAliveTimeoutMs: 100 } });
    expect((await server.send('GET /notes HTTP/1.1\r\nhost: x\r\n\r\n')).status).toBe(200);
  });
});
