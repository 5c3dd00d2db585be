import { Catch, Logger, type ExceptionFilter, type LoggerService } from '@nestjs/common';
import { DomainError, withMessage } from '@nestbox/kernel';
import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { Msg, MsgHdrs, NatsConnection as Client, Subscription } from '@nats-io/transport-node';
import { isObservable, lastValueFrom, throwError, type Observable } from 'rxjs';
import type { StoredEvent } from '../envelope.js';
import type { NatsConnection } from './connection.js';
import { EventConsumer } from './event-consumer.js';
import { contextOf } from './message-headers.js';
import { encodeError } from './remote-errors.js';
import { readPacket } from './remote-message.js';
import type { RequestSeal } from './request-seal.js';
import type { Subjects } from './subjects.js';

export interface NatsStrategyOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  /** Processes of one group share requests and events; usually the name of the service. */
  readonly group: string;
  readonly timeoutMs: number;
  /** Checks who has sent a request; undefined: whoever can reach NATS is believed. Events need no signature of their own. */
  readonly seal?: RequestSeal | undefined;
  /** Events of one type handled at once. */
  readonly concurrency?: number;
  /** After so many failures an event is given up. */
  readonly maxAttempts?: number;
  /** Pause after an event's first failure. */
  readonly retryMs?: number;
  readonly onDead?: (event: StoredEvent | undefined, error: Error) => void;
  readonly logger?: LoggerService;
}

/** `@Ctx()` of a request: its subject and headers. */
export class RequestContext extends BaseRpcContext<[subject: string, headers: MsgHdrs | undefined]> {
  get subject(): string {
    return this.args[0];
  }

  get headers(): MsgHdrs | undefined {
    return this.args[1];
  }
}

/** `@Ctx()` of an event: all of its envelope. */
export class EventContext extends BaseRpcContext<[event: StoredEvent]> {
  get event(): StoredEvent {
    return this.args[0];
  }
}

/** Lets a controller's refusals reach the sender as they are: `@UseFilters(DomainErrorFilter)`. Nest would hide them. */
@Catch(DomainError)
export class DomainErrorFilter implements ExceptionFilter<DomainError> {
  catch(error: DomainError): Observable<never> {
    return throwError(() => encodeError(error, '', ''));
  }
}

/**
 * Nest's own idiom over the same connection: `@MessagePattern('<subject>')` answers requests, `@EventPattern('<type>')`
 * takes events from JetStream with an acknowledgement after the handler.
 *
 * ```ts
 * app.connectMicroservice({ strategy: new NatsStrategy({ connection, subjects, group: 'mailer', timeoutMs: 5_000 }) });
 * await app.startAllMicroservices();
 * ```
 */
export class NatsStrategy extends Server<{ connect: () => void }> implements CustomTransportStrategy {
  override readonly transportId = Symbol('nestbox-nats');
  /** Failures of event handlers come back here, to be tried again. */
  override readonly propagatesEventHandlerErrors = true;
  protected override readonly logger: LoggerService;
  private readonly consumers: EventConsumer[] = [];
  private readonly subscriptions: Subscription[] = [];
  private readonly answering = new Set<Promise<void>>();

  constructor(private readonly options: NatsStrategyOptions) {
    super();
    this.logger = options.logger ?? new Logger(NatsStrategy.name);
  }

  /** Waits for NATS; a request sent after that finds this process. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    const { connection, subjects, group } = this.options;
    try {
      await connection.start();
      for (const [pattern, handler] of this.messageHandlers) {
        if (handler.isEventHandler) this.consume(pattern, handler);
        else {
          const receive = (error: Error | null, message: Msg) => (error ? this.logger.error(`${pattern}: ${error.message}`) : this.receive(message, handler));
          this.subscriptions.push(connection.client.subscribe(subjects.pattern(pattern), { queue: String(handler.extras?.['queue'] ?? group), callback: receive }));
        }
      }
      await connection.client.flush();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Finishes what it has taken. The connection stays open for the rest of the process. */
  async close(): Promise<void> {
    const { connection } = this.options;
    const closing = this.subscriptions.splice(0).filter((subscription) => !subscription.isClosed());
    if (connection.status() === 'connected') await Promise.all(closing.map((subscription) => subscription.drain()));
    else for (const subscription of closing) subscription.unsubscribe();
    await Promise.all([...this.consumers.splice(0).map((consumer) => consumer.stop()), ...this.answering]);
    if (connection.status() === 'connected') await connection.client.flush();
  }

  /** `connect`: now and after every loss of the connection. */
  override on(_event: 'connect', callback: () => void): void {
    this.options.connection.onConnect(callback);
  }

  override unwrap<T = Client>(): T {
    return this.options.connection.client as T;
  }

  private receive(message: Msg, handler: MessageHandler): void {
    const context = contextOf(message.headers, this.options.timeoutMs);
    const answer = withMessage(context, () => this.answer(message, handler, context.correlationId)).finally(() => this.answering.delete(answer));
    this.answering.add(answer);
  }

  private async answer(message: Msg, handler: MessageHandler, correlationId: string): Promise<void> {
    const { subject } = message;
    const respond = (packet: object) => void message.respond(JSON.stringify(packet));
    let id: unknown;
    try {
      this.options.seal?.verify(subject, message.headers, message.data);
      const packet = readPacket(message.data);
      id = packet.id;
      const context = new RequestContext([subject, message.headers]);
      await new Promise<void>((settled, failed) => {
        const produce = async () => this.transformToObservable(await handler(packet.data, context));
        const reply = (part: { err?: unknown; isDisposed?: boolean }) => {
          try {
            respond({ ...part, err: part.err instanceof Error ? encodeError(part.err, subject, correlationId) : part.err, id });
            if (part.isDisposed) settled();
          } catch (error) {
            failed(error as Error);
          }
        };
        Promise.resolve(this.handleRequest(context, produce, reply)).catch(failed);
      });
    } catch (error) {
      if (!(error instanceof DomainError)) this.logger.error(`${subject} failed (correlation id ${correlationId}): ${(error as Error)?.stack ?? String(error)}`);
      respond({ err: encodeError(error, subject, correlationId), isDisposed: true, id });
    }
  }

  private consume(type: string, handler: MessageHandler): void {
    const { connection, subjects, group, concurrency = 16, maxAttempts = 5, retryMs = 1_000, onDead } = this.options;
    const handle = async (event: StoredEvent) => {
      const result: unknown = await handler(event.payload, new EventContext([event]));
      // The handler of an event may be a stream, and its failure is one.
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    };
    const consumer = new EventConsumer({ connection, subjects, type, group, handle, concurrency, maxAttempts, retryMs, logger: this.logger, ...(onDead && { onDead }) });
    this.consumers.push(consumer);
    consumer.start();
  }
}
