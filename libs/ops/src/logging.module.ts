import { type DynamicModule, Module } from '@nestjs/common';
import { currentMessage } from '@nestbox/kernel';
import { LoggerModule } from 'nestjs-pino';
import type { LogFn, Logger } from 'pino';

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
            // The HTTP library writes one line per request, inside the request's message context.
            autoLogging: false,
            quietReqLogger: true,
            hooks: { logMethod: withoutStartupNoise },
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

/** Nest names every module and route at every start; a person who starts the service looks for something else. */
const STARTUP_NOISE = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);
const INFO = 30;

function withoutStartupNoise(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const context = (args[0] as { context?: unknown } | undefined)?.context;
  if (level === INFO && typeof context === 'string' && STARTUP_NOISE.has(context)) return;
  method.apply(this, args);
}
