import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { type HttpProblem, httpProblems } from './http-problems.js';
import { identify, identityHeaders, messageOf } from './message-context.js';
import { PROBLEM_TYPE } from './problem-reply.js';
import { HttpRefusal, problemOf } from './problem.js';

/** How long a refused client may go on sending, in ms. A connection that is reset at once takes the answer with it. */
const LINGER_MS = 2_000;

/** What Node says of bytes that are no request, and what that means. */
const PROBLEMS: Readonly<Record<string, HttpProblem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: httpProblems.requestTimeout,
  HPE_HEADER_OVERFLOW: httpProblems.headersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: httpProblems.tooLarge,
};

const logger = new Logger('http');

/** Answers as a problem what never becomes a request: it is too slow, too large, or no HTTP. Then the connection is closed. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return;
  const begun = answerOf(socket);
  if (begun && (begun.headersSent || begun.req.complete)) {
    // That request is none of this: its answer goes out, and it is the last one.
    begun.once('finish', () => socket.destroySoon());
    return;
  }
  const { status, headers, body, correlationId } = refusal(PROBLEMS[error.code ?? ''] ?? httpProblems.malformedMessage, begun?.req);
  socket.end(response(status, headers, body));
  logger.log({ status, correlationId, reason: error.code }, `${status} before there was a request`);
  closeSoon(socket, status === 408 ? 0 : LINGER_MS);
}

/** Answers a request whose `Expect` nobody can meet; Node's own answer has no body. */
export function answerExpectation(request: IncomingMessage, answer: ServerResponse): void {
  const { status, headers, body } = refusal(httpProblems.expectationFailed, request);
  answer.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body);
}

function refusal(problem: HttpProblem, request?: IncomingMessage) {
  const identity = (request && messageOf(request)) ?? identify({});
  const { correlationId } = identity;
  const refused = problemOf(new HttpRefusal(problem, `${problem.cause} ${problem.cure}`), { ...(request?.url !== undefined && { instance: request.url }), traceId: correlationId });
  return { status: problem.status, headers: { ...identityHeaders(identity), 'content-type': PROBLEM_TYPE }, body: JSON.stringify(refused), correlationId };
}

/** The answer that a connection is waiting for. Node's own handler looks for it in the same place. */
function answerOf(socket: Socket): ServerResponse | undefined {
  const { _httpMessage: answer } = socket as { readonly _httpMessage?: ServerResponse | null };
  return answer ?? undefined;
}

function response(status: number, headers: Readonly<Record<string, string>>, body: string): string {
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

function closeSoon(socket: Socket, ms: number): void {
  const close = () => socket.destroy();
  // Who is slow must not go on: what completes a request now would still be handled.
  if (ms === 0) socket.once('finish', close);
  const timer = setTimeout(close, LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
