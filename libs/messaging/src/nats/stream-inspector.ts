import { RELAY_HEADER } from './stream-tail.js';
import type { NatsConnection } from './connection.js';
import { numberOf } from './event-codec.js';
import { createdAt, findStream } from './stream.js';
import type { Subjects } from './subjects.js';

/** How a context's stream stands. */
export interface StreamState {
  readonly context: string;
  readonly stream: string;
  /** When it was created; null when there is none, and the relay has yet to declare it. */
  readonly created: string | null;
  readonly messages: number;
  readonly bytes: number;
  /** Number of the first event that is still in it; 0 when it is empty. */
  readonly first: number;
  /** Number of the last event in it; 0 when it is empty. */
  readonly last: number;
}

/** Where an event stands in its stream. */
export interface StreamPlace {
  readonly stream: string;
  readonly sequence: number;
  /** When the server has stored it. */
  readonly at: string;
}

interface Message {
  readonly n: number;
  readonly sequence: number;
  readonly time: string;
}

/** How far foreign or deleted messages are stepped over. */
const STEPS = 100;

/** Looks into the streams, for people; it never changes one. */
export class StreamInspector {
  constructor(
    private readonly connection: NatsConnection,
    private readonly subjects: Subjects,
  ) {}

  /** @throws Error when NATS cannot be reached */
  async state(context: string): Promise<StreamState> {
    const stream = this.subjects.stream(context);
    const info = await this.info(stream);
    if (!info) return { context, stream, created: null, messages: 0, bytes: 0, first: 0, last: 0 };
    const { messages, bytes, first_seq: firstSequence, last_seq: lastSequence } = info.state;
    const first = messages > 0 ? await this.at(stream, firstSequence, 1) : undefined;
    const last = messages > 0 ? await this.at(stream, lastSequence, -1) : undefined;
    return { context, stream, created: createdAt(info), messages, bytes, first: first?.n ?? 0, last: last?.n ?? 0 };
  }

  /** Where the event with a number is; undefined when it is not in the stream, not yet or no more. @throws Error when NATS cannot be reached */
  async find(context: string, n: number): Promise<StreamPlace | undefined> {
    const stream = this.subjects.stream(context);
    const info = await this.info(stream);
    if (!info || info.state.messages === 0) return undefined;
    // Numbers and sequences both rise one by one, unless something foreign or deleted is between: the first guess mostly hits.
    let [low, high] = [info.state.first_seq, info.state.last_seq];
    let guess = high;
    while (low <= high) {
      const found = await this.at(stream, Math.min(high, Math.max(low, guess)), 1);
      if (!found || found.sequence > high) high = Math.min(high, Math.max(low, guess)) - 1;
      else if (found.n === n) return { stream, sequence: found.sequence, at: found.time };
      else if (found.n < n) low = found.sequence + 1;
      else high = Math.min(high, Math.max(low, guess)) - 1;
      guess = found ? found.sequence + (n - found.n) : Math.floor((low + high) / 2);
    }
    return undefined;
  }

  private async info(stream: string): Promise<Awaited<ReturnType<typeof findStream>>> {
    if (this.connection.status() !== 'connected') throw new Error('there is no connection to NATS');
    return findStream(this.connection.jsm, stream);
  }

  /** The event message at a sequence, or the next one in a direction. */
  private async at(stream: string, sequence: number, direction: 1 | -1): Promise<Message | undefined> {
    for (let step = 0, at = sequence; step < STEPS && at > 0; step++, at += direction) {
      const message = await this.connection.jsm.streams.getMessage(stream, { seq: at });
      const number = message?.header.has(RELAY_HEADER) ? numberOf(message.header) : undefined;
      if (number) return { n: number.n, sequence: at, time: message!.time.toISOString() };
    }
    return undefined;
  }
}
