import { type DynamicModule, Module } from '@nestjs/common';
import { currentMessage, traceIds } from '@nestbox/kernel';
import { LoggerModule } from 'nestjs-pino';
import type { DestinationStream, LogFn, Logger } from 'pino';
import { withoutSecrets } from './log-secrets.js';

export interface LoggingOptions {
  /** The service of the topology, in every line. */
  readonly service: string;
  readonly level: string;
  /** Where the lines go. Default: standard output. */
  readonly destination?: DestinationStream;
}

/** Passwords in URLs of databases and brokers, wherever an error or a message has them. */
const URL_PASSWORD = /(:\/\/[^:@/\s"]*):[^@/\s"]+@/g;

/** Structured logs: JSON lines that say which service and, inside a message, which chain they belong to. */
@Module({})
export class LoggingModule {
  static forRoot({ service, level, destination }: LoggingOptions): DynamicModule {
    const options = {
      level,
      base: { service },
      mixin: messageFields,
      formatters: { log: lineWithoutSecrets, bindings: lineWithoutSecrets },
      serializers: { err: memberWithoutSecrets, req: memberWithoutSecrets, res: memberWithoutSecrets },
      // The HTTP library writes one line per request, inside the request's message context.
      autoLogging: false,
      quietReqLogger: true,
      hooks: { logMethod: withoutStartupNoise, streamWrite: withoutPasswords },
    };
    return { module: LoggingModule, imports: [LoggerModule.forRoot({ pinoHttp: destination ? [options, destination] : options, forRoutes: [] })] };
  }
}

/** Secrets are looked for at the top of a line, and so many levels below. */
const LEVELS = 2;

function lineWithoutSecrets(line: Record<string, unknown>): Record<string, unknown> {
  if (!('err' in line)) return withoutSecrets(line, LEVELS) as Record<string, unknown>;
  // A copy of an error would be none.
  const { err, ...others } = line;
  return { ...(withoutSecrets(others, LEVELS) as Record<string, unknown>), err };
}

/** What pino makes of an error, a request or an answer stands one level below the top. */
function memberWithoutSecrets(member: unknown): unknown {
  return withoutSecrets(member, LEVELS - 1);
}

function withoutPasswords(line: string): string {
  return line.includes('@') ? line.replace(URL_PASSWORD, '$1:(hidden)@') : line;
}

function messageFields(): object {
  const message = currentMessage();
  if (!message) return {};
  const { correlationId, causationId, tenantId, traceparent } = message;
  const trace = traceparent === undefined ? undefined : traceIds(traceparent);
  // Named as OpenTelemetry names them in logs of any format, so that what collects them finds them.
  return { correlationId, ...(causationId && { causationId }), tenantId, ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }) };
}

/** Nest names every module and route at every start; a person who starts the service looks for something else. */
const STARTUP_NOISE = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);
/** What Nest logs here it also throws, to whoever starts the application and says it in words. */
const START_FAILURE = 'ExceptionHandler';
const INFO = 30;

function withoutStartupNoise(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const { context, msg } = (args[0] ?? {}) as { context?: unknown; msg?: unknown };
  if (context === START_FAILURE || isListenFailure(context, msg ?? args[1])) return;
  if (level === INFO && typeof context === 'string' && STARTUP_NOISE.has(context)) return;
  // What is put into the text is no member of the line.
  for (let index = 1; index < args.length; index++) args[index] = withoutSecrets(args[index], LEVELS) as string;
  method.apply(this, args);
}

function isListenFailure(context: unknown, message: unknown): boolean {
  return context === 'NestApplication' && typeof message === 'string' && message.startsWith('Error: listen ');
}
