import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { currentMessage } from '@nestbox/kernel';
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
    const { url } = http.getRequest<{ url: string }>();
    const traceId = currentMessage()?.correlationId;
    const problem = problemOf(error, { instance: url, ...(traceId && { traceId }) });
    if (problem.status >= 500) this.logger.error({ err: error, code: problem.code }, (error as Error)?.message);
    http.getResponse<Reply>().status(problem.status).header('content-type', 'application/problem+json').send(problem);
  }
}
