import type { Msg, Subscription } from '@nats-io/transport-node';
import { Logger, type LoggerService } from '@nestjs/common';
import { DomainError, withMessage, type MessageContext } from '@nestbox/kernel';
import type { MessageClass } from '../message-types.js';
import type { NatsConnection } from './connection.js';
import { remoteErrors } from './errors.js';
import { contextOf, replayHeaders } from './message-headers.js';
import { encodeError } from './remote-errors.js';
import { readMessage } from './remote-message.js';
import type { RequestSeal } from './request-seal.js';
import type { RequestKind, Subjects } from './subjects.js';

/** A command or query that this process answers. */
export interface ServedMessage {
  readonly kind: RequestKind;
  readonly message: MessageClass;
}

export interface RemoteServerOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  /** The contexts of this process. */
  readonly contexts: readonly string[];
  readonly messages: readonly ServedMessage[];
  /** Runs a checked command or query, inside the message context of its sender. */
  readonly execute: (kind: RequestKind, message: object) => Promise<unknown>;
  /** How long an answer may take when the sender has not said. */
  readonly timeoutMs: number;
  /** Checks who has sent a request; undefined: whoever can reach NATS is believed. */
  readonly seal?: RequestSeal | undefined;
  /** How many requests run at once; more wait. */
  readonly concurrency?: number;
  /** How many may wait; more are refused. */
  readonly waiting?: number;
  readonly logger?: LoggerService;
}

interface Request {
  readonly message: Msg;
  readonly context: MessageContext & { readonly deadline: number };
}

/**
 * Answers the commands and queries of this process' contexts over NATS. The processes of one context share its
 * requests (queue group); a stock Nest NATS client can send them, too.
 */
export class RemoteServer {
  private readonly logger: LoggerService;
  private readonly served: ReadonlyMap<string, ServedMessage>;
  private readonly queue: Request[] = [];
  private readonly running = new Set<Promise<void>>();
  private subscriptions: Subscription[] = [];
  private stopping = false;

  constructor(private readonly options: RemoteServerOptions) {
    this.logger = options.logger ?? new Logger(RemoteServer.name);
    this.served = new Map(options.messages.map((served) => [options.subjects.request(served.kind, served.message.type), served]));
  }

  /** Resolves when the server knows of it: a request sent after that finds this process. Waits for NATS. */
  async start(): Promise<void> {
    const { connection, contexts, subjects } = this.options;
    await connection.start();
    if (this.stopping) return;
    for (const context of contexts) {
      for (const kind of ['command', 'query'] as const) {
        const callback = (error: Error | null, message: Msg) => {
          if (error) this.logger.error(`Requests to "${context}" cannot be received: ${error.message}`);
          else this.receive(message);
        };
        this.subscriptions.push(connection.client.subscribe(subjects.requests(kind, context), { queue: context, callback }));
      }
    }
    await connection.client.flush();
  }

  /** Takes no more requests, and resolves when those that were taken are answered. */
  async stop(): Promise<void> {
    this.stopping = true;
    const { connection } = this.options;
    const closing = this.subscriptions.splice(0).filter((subscription) => !subscription.isClosed());
    if (connection.status() === 'connected') await Promise.all(closing.map((subscription) => subscription.drain()));
    else for (const subscription of closing) subscription.unsubscribe();
    while (this.running.size > 0) await Promise.all(this.running);
    if (connection.status() === 'connected') await connection.client.flush();
  }

  private receive(message: Msg): void {
    const request = { message, context: contextOf(message.headers, this.options.timeoutMs) };
    if (this.queue.length >= (this.options.waiting ?? 10_000)) {
      this.refuse(request, new DomainError(remoteErrors.contextOverloaded, 'Too many requests are waiting. Try again later.'));
      return;
    }
    this.queue.push(request);
    this.runWaiting();
  }

  private runWaiting(): void {
    while (this.queue.length > 0 && this.running.size < (this.options.concurrency ?? 256)) {
      const request = this.queue.shift()!;
      // Its sender has given up: nobody would learn of the outcome.
      if (Date.now() > request.context.deadline) continue;
      const work = this.answer(request).finally(() => {
        this.running.delete(work);
        this.runWaiting();
      });
      this.running.add(work);
    }
  }

  private async answer(request: Request): Promise<void> {
    const { message: { subject, data, headers }, context } = request;
    let replayed = false;
    const onReplay = () => {
      replayed = true;
    };
    try {
      this.options.seal?.verify(subject, headers, data);
      const { id, message, kind } = await readMessage(subject, data, this.served);
      const response = await withMessage({ ...context, onReplay }, () => this.options.execute(kind, message));
      this.respond(request, { response, isDisposed: true, id }, replayed);
    } catch (error) {
      this.refuse(request, error, replayed);
    }
  }

  private refuse(request: Request, error: unknown, replayed = false): void {
    const { message: { subject, data }, context: { correlationId } } = request;
    if (!(error instanceof DomainError)) {
      this.logger.error(`${subject} failed (correlation id ${correlationId}): ${error instanceof Error ? error.stack : String(error)}`);
    }
    try {
      this.respond(request, { err: encodeError(error, subject, correlationId), isDisposed: true, id: idOf(data) }, replayed);
    } catch (failed) {
      this.logger.error(`${subject} could not be answered (correlation id ${correlationId}): ${(failed as Error).message}`);
    }
  }

  private respond({ message }: Request, packet: object, replayed = false): void {
    message.respond(JSON.stringify(packet), replayed ? { headers: replayHeaders() } : {});
  }
}

/** A Nest client takes an answer only with the id that it has sent, also when the rest of its request was wrong. */
function idOf(data: Uint8Array): unknown {
  try {
    return (JSON.parse(new TextDecoder().decode(data)) as { id?: unknown } | null)?.id;
  } catch {
    return undefined;
  }
}
