import { Logger } from '@nestjs/common';
import type { RelayLog } from '../relay-log.js';
import type { EventSource } from '../source.js';
import type { EventTransport, Running } from '../transport.js';
import type { NatsConnection } from './connection.js';
import { JetStreamSource } from './jetstream-source.js';
import { Relay } from './relay.js';
import type { Subjects } from './subjects.js';

export interface NatsTransportOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  readonly retentionDays: number;
}

/** Events travel through JetStream: one relay per publishing context, one ordered consumer per reader and source. */
export class NatsTransport implements EventTransport {
  private readonly logger = new Logger('nats');

  constructor(private readonly options: NatsTransportOptions) {}

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  source(context: string): EventSource {
    const { connection, subjects } = this.options;
    return new JetStreamSource({ context, connection, subjects, logger: this.logger });
  }

  relay(log: RelayLog): Running {
    const relay = new Relay({ log, ...this.options, logger: this.logger });
    return { start: async () => relay.start(), stop: () => relay.stop() };
  }

  healthy(): boolean {
    return this.options.connection.status() === 'connected';
  }
}
