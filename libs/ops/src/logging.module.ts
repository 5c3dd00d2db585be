import type { IncomingMessage } from 'node:http';
import { type DynamicModule, Module } from '@nestjs/common';
import { currentMessage } from '@nestbox/kernel';
import { LoggerModule } from 'nestjs-pino';

export interface LoggingOptions {
  /** The service of the topology, in every line. */
  readonly service: string;
  readonly level: string;
}

/** What must never be in a log. */
const SECRETS = ['req.headers.authorization', 'req.headers.cookie', 'req.headers["x-api-key"]', 'res.headers["set-cookie"]', '*.password', '*.secret', '*.token'];

/** Structured logs: JSON lines that say which service and, inside a message, which chain they belong to. */
@Module({})
export class LoggingModule {
  static forRoot({ service, level }: LoggingOptions): DynamicModule {
    return {
      module: LoggingModule,
      imports: [
        LoggerModule.forRoot({
          pinoHttp: {
            level,
            base: { service },
            mixin: messageFields,
            redact: { paths: SECRETS, censor: '(hidden)' },
            autoLogging: { ignore: (request: IncomingMessage) => request.url?.startsWith('/health/') ?? false },
            quietReqLogger: true,
            quietResLogger: true,
            customSuccessObject: (request, response, given) => ({ ...requestFields(request, response.statusCode), ms: (given as { responseTime?: number }).responseTime }),
            customErrorObject: (request, response, _error, given) => ({ ...requestFields(request, response.statusCode), ms: (given as { responseTime?: number }).responseTime }),
          },
        }),
      ],
    };
  }
}

function messageFields(): object {
  const message = currentMessage();
  if (!message) return {};
  const { correlationId, causationId, tenantId } = message;
  return { correlationId, ...(causationId && { causationId }), tenantId };
}

function requestFields(request: IncomingMessage, status: number): object {
  return { method: request.method, url: (request as { originalUrl?: string }).originalUrl ?? request.url, status };
}
