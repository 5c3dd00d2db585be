import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { UsageError } from '@nestbox/kernel';
import { FreshEvents } from '../fresh-events.js';
import type { RelayLog } from '../relay-log.js';
import type { EventTransport } from '../transport.js';
import type { NatsConnection } from './connection.js';
import { JetStreamSource } from './jetstream-source.js';
import { Relay } from './relay.js';
import { readTail } from './stream-tail.js';
import type { Subjects } from './subjects.js';

/** How long a start on a restored database waits for NATS. */
const ADMISSION_PATIENCE_MS = 10_000;

export interface NatsTransportOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  readonly retentionDays: number;
  readonly logger?: LoggerService;
}

/** Events travel through JetStream: relays copy the logs of this process' contexts there, and readers read from there. */
export class NatsTransport implements EventTransport {
  private readonly relays: Relay[] = [];
  private readonly sources: JetStreamSource[] = [];
  private readonly freshOf = new Map<string, FreshEvents>();

  constructor(private readonly options: NatsTransportOptions) {}

  /** Does not wait for NATS: the application serves what it can without, and events follow when it is there. */
  async start(): Promise<void> {
    void this.options.connection.start();
  }

  /** The connection is closed by whoever has opened it, once nothing uses it any more. */
  async stop(): Promise<void> {}

  async admit(context: string, head: number): Promise<void> {
    const { connection, subjects } = this.options;
    const restored = `The database of "${context}" was restored or has failed over since it was last in use`;
    await Promise.race([connection.start(), sleep(ADMISSION_PATIENCE_MS, undefined, { ref: false })]);
    if (connection.status() !== 'connected') throw new UsageError(`${restored}, and NATS does not answer: nobody can tell whether events are there that it has lost.`, 'start NATS first.');
    const tail = await readTail(connection.jsm, subjects.stream(context));
    if (!tail || tail.n <= head) return;
    throw new UsageError(
      `${restored}: its log ends at event ${head}, the stream ${subjects.stream(context)} at ${tail.n}. Subscribers would handle events that are lost, and then what is done in their place.`,
      'while no service runs, delete the streams of all contexts whose databases were restored; their relays fill them again.',
    );
  }

  source(context: string): JetStreamSource {
    const { connection, subjects, logger } = this.options;
    const source = new JetStreamSource({ context, connection, subjects, ...(logger && { logger }) });
    this.sources.push(source);
    return source;
  }

  fresh(context: string): FreshEvents {
    const fresh = this.freshOf.get(context) ?? new FreshEvents();
    this.freshOf.set(context, fresh);
    return fresh;
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
