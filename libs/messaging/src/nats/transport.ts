import type { LoggerService } from '@nestjs/common';
import type { StoredEvent } from '../envelope.js';
import type { RelayLog } from '../relay-log.js';
import type { EventTransport } from '../transport.js';
import type { NatsConnection } from './connection.js';
import { JetStreamSource } from './jetstream-source.js';
import { Relay } from './relay.js';
import type { Subjects } from './subjects.js';

export interface NatsTransportOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  readonly retentionDays: number;
  /** Told of every event that NATS would not take. */
  readonly onTombstone?: (event: StoredEvent, reason: string) => void;
  readonly logger?: LoggerService;
}

/** Events travel through JetStream: relays copy the logs of this process' contexts there, and readers read from there. */
export class NatsTransport implements EventTransport {
  private readonly relays: Relay[] = [];
  private readonly sources: JetStreamSource[] = [];

  constructor(private readonly options: NatsTransportOptions) {}

  /** Does not wait for NATS: the application serves what it can without, and events follow when it is there. */
  async start(): Promise<void> {
    void this.options.connection.start();
  }

  /** The connection is closed by whoever has opened it, once nothing uses it any more. */
  async stop(): Promise<void> {}

  source(context: string): JetStreamSource {
    const { connection, subjects, logger } = this.options;
    const source = new JetStreamSource({ context, connection, subjects, ...(logger && { logger }) });
    this.sources.push(source);
    return source;
  }

  relay(log: RelayLog): Relay {
    const relay = new Relay({ ...this.options, log });
    this.relays.push(relay);
    return relay;
  }

  healthy(): boolean {
    return this.options.connection.status() === 'connected';
  }

  /** What keeps events from travelling, for people. */
  problems(): string[] {
    const relays = this.relays.map((relay) => relay.problem()).filter((problem) => problem !== undefined);
    return [...new Set([...relays, ...this.sources.flatMap((source) => source.problems())])];
  }
}
