import type { IncomingMessage } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { messageOf } from './message-context.js';
import type { ProblemCatalogue } from './problem-catalogue.js';
import { type ProblemReply, sendProblem } from './problem-reply.js';
import { problemOf } from './problem.js';

/** How long a caller may go on sending what is not wanted, in ms. */
const DISCARD_MS = 2_000;

/** Answers every error as `application/problem+json` (RFC 9457). Errors that nobody foresaw are logged, and not shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  /** @param catalogue where errors of the domain have their titles */
  constructor(private readonly catalogue?: ProblemCatalogue) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { url, raw } = http.getRequest<{ url: string; raw: IncomingMessage }>();
    const traceId = messageOf(raw)?.correlationId;
    const problem = problemOf(error, { instance: url, ...(traceId && { traceId }) }, this.catalogue);
    if (problem.status === 500) this.logger.error(error);
    const reply = http.getResponse<ProblemReply>();
    const answer = () => sendProblem(reply, problem);
    if (problem.status === 413 && !raw.readableEnded && !raw.destroyed) discard(raw, answer);
    else answer();
  }
}

/**
 * Reads the rest of a body into the void, then calls `done`. A connection that is closed while the caller is still
 * sending is reset, and a reset takes the answer with it.
 */
function discard(body: IncomingMessage, done: () => void): void {
  const finish = () => {
    clearTimeout(timer);
    body.off('end', finish).off('close', finish);
    done();
  };
  const timer = setTimeout(finish, DISCARD_MS);
  body.once('end', finish).once('close', finish).resume();
}
