import { AckPolicy, DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { LoggerService } from '@nestjs/common';
import { continueTrace, SYSTEM, withMessage } from '@nestbox/kernel';
import type { StoredEvent } from '../envelope.js';
import { isJsonObject } from '../read-event.js';
import { contextOfType } from '../message-types.js';
import type { NatsConnection } from './connection.js';
import { decodeEvent, MalformedEvent } from './event-codec.js';
import { Backoff, Pause } from './pause.js';
import type { Subjects } from './subjects.js';

const ACK_WAIT_MS = 30_000;
const GONE = new Set(['consumer_deleted', 'consumer_not_found', 'stream_not_found']);

export interface EventConsumerOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  /** `<context>.<what-happened>` */
  readonly type: string;
  /** Whose place in the stream this is; processes with the same group share the events. */
  readonly group: string;
  readonly handle: (event: StoredEvent) => Promise<unknown>;
  /** How many events are handled at once. */
  readonly concurrency: number;
  /** After so many failures an event is given up. */
  readonly maxAttempts: number;
  /** Pause after the first failure; doubles, up to a minute. */
  readonly retryMs: number;
  /** Told of every event that is given up. */
  readonly onDead?: (event: StoredEvent | undefined, error: Error) => void;
  readonly logger: LoggerService;
}

/**
 * Hands the events of one type to a handler outside the engine: a durable consumer, an acknowledgement after the
 * handler, at least once and without order. What has to happen once and in order belongs into a subscriber of a context.
 */
export class EventConsumer {
  private readonly pause = new Pause();
  private readonly backoff = new Backoff(500, 5_000);
  private readonly working = new Set<Promise<void>>();
  private messages: ConsumerMessages | undefined;
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(private readonly options: EventConsumerOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Takes no more events, and resolves when those in work are done. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.pause.end();
    this.messages?.stop();
    await this.running;
    await Promise.all(this.working);
  }

  private async run(): Promise<void> {
    const { type, logger } = this.options;
    let shown = '';
    while (!this.stopping) {
      try {
        this.messages = await this.open();
        shown = '';
        this.backoff.reset();
        void this.watch(this.messages);
        for await (const message of this.messages) {
          if (this.stopping) break;
          this.take(message);
        }
      } catch (error) {
        const { message } = error as Error;
        if (message !== shown) logger.warn(`Events ${type} cannot be consumed (${message}). Trying again.`);
        shown = message;
      }
      await this.pause.for(this.backoff.next());
    }
  }

  private async open(): Promise<ConsumerMessages> {
    const { connection, subjects, type, group, concurrency } = this.options;
    const stream = subjects.stream(contextOfType(type));
    const name = `${group}_${type}`.replaceAll(/[^A-Za-z0-9_-]/g, '-');
    await connection.jsm.consumers.add(stream, {
      durable_name: name,
      filter_subject: subjects.eventType(type),
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: concurrency,
    });
    const consumer = await connection.js.consumers.get(stream, name);
    const messages = await consumer.consume({ max_messages: concurrency, expires: 10_000, idle_heartbeat: 2_000 });
    if (this.stopping) messages.stop();
    return messages;
  }

  private async watch(messages: ConsumerMessages): Promise<void> {
    for await (const status of messages.status()) if (GONE.has(status.type)) messages.stop();
  }

  private take(message: JsMsg): void {
    const work = this.handle(message).finally(() => this.working.delete(work));
    this.working.add(work);
  }

  private async handle(message: JsMsg): Promise<void> {
    // A slow handler keeps its event: the server would give it to another process otherwise.
    const keep = setInterval(() => message.working(), ACK_WAIT_MS / 3);
    let event: StoredEvent | undefined;
    try {
      const decoded = decodeEvent(message);
      if (decoded.tombstone !== undefined) throw new MalformedEvent(`The broker would not take its payload: ${decoded.tombstone}.`);
      if (!isJsonObject(decoded.payload)) throw new MalformedEvent('The data of the message is not a JSON object.');
      event = decoded;
      const { id, tenantId, headers } = event;
      await withMessage({ correlationId: headers.correlationId, causationId: id, tenantId, identity: SYSTEM, ...continueTrace(headers) }, () => this.options.handle(decoded));
      message.ack();
    } catch (error) {
      this.failed(message, event, error instanceof Error ? error : new Error(JSON.stringify(error)));
    } finally {
      clearInterval(keep);
    }
  }

  private failed(message: JsMsg, event: StoredEvent | undefined, error: Error): void {
    const { type, maxAttempts, retryMs, logger, onDead } = this.options;
    const attempt = message.info.deliveryCount;
    const what = `Event ${type} ${event?.id ?? `(sequence ${message.seq})`}`;
    if (event && attempt < maxAttempts) {
      logger.warn(`${what} failed (attempt ${attempt} of ${maxAttempts}): ${error.message}`);
      message.nak(Math.min(60_000, retryMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2));
      return;
    }
    logger.error(`${what} is given up after ${attempt} attempts: ${error.stack}`);
    message.term();
    onDead?.(event, error);
  }
}
