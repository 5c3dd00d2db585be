import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { messageOf } from './message-context.js';
import { problemOf } from './problem.js';

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
}

/** Answers every error as `application/problem+json` (RFC 9457). Errors that nobody foresaw are logged, and not shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { url, raw } = http.getRequest<{ url: string; raw: object }>();
    const traceId = messageOf(raw)?.correlationId;
    const problem = problemOf(error, { instance: url, ...(traceId && { traceId }) });
    if (problem.status === 500) this.logger.error(error);
    http.getResponse<Reply>().status(problem.status).header('content-type', 'application/problem+json').send(problem);
  }
}
