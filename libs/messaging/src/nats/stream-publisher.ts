import { createInbox, type Msg, MsgHdrsImpl, type Subscription } from '@nats-io/transport-node';
import type { NatsConnection } from './connection.js';
import type { EncodedEvent } from './event-codec.js';

/** A message without an answer for so long counts as not published. */
const PATIENCE_MS = 5_000;
const WRONG_LAST_SEQUENCE = 10071;
const WRONG_LAST_MESSAGE = 10070;
const MESSAGE_TOO_LARGE = 10054;

/** A stream's word that it has a message. */
export interface Stored {
  /** Its sequence. */
  readonly seq: number;
  /** It was there before, and was not stored again. */
  readonly duplicate?: boolean;
}

/** A stream did not take a message, or nobody knows. */
export class NotPublished extends Error {
  override readonly name = 'NotPublished';

  constructor(readonly kind: 'fenced' | 'too-large' | 'no-stream' | 'other', message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Told once what became of a message. */
export type Answered = (answer: Stored | NotPublished) => void;

interface Waiting {
  readonly answered: Answered;
  readonly since: number;
}

/**
 * Publishes to streams, with an acknowledgement of each message. The client's own way is a request with a promise, a
 * timer and an error object for every message; here all answers come over one subscription, and one timer watches over
 * the oldest that is due.
 */
export class StreamPublisher {
  private readonly inbox = createInbox();
  /** By the number in the subject of the answer, in the order in which they were sent. */
  private readonly waiting = new Map<number, Waiting>();
  private sent = 0;
  private subscription: Subscription | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly connection: NatsConnection, private readonly patienceMs = PATIENCE_MS) {}

  /** @param answered called once: with the stream's answer, or after a while without one; never after {@link forget} */
  publish(subject: string, { head, data }: EncodedEvent, answered: Answered): void {
    const number = ++this.sent;
    this.waiting.set(number, { answered, since: performance.now() });
    this.timer ??= this.expectWithin(this.patienceMs);
    try {
      this.subscription ??= this.connection.client.subscribe(`${this.inbox}.*`, { callback: (error, message) => (error ? this.unsubscribed(error) : this.hear(message)) });
      this.connection.client.publish(subject, data, { reply: `${this.inbox}.${number}`, headers: new WrittenHeaders(head) });
    } catch (error) {
      // The client itself refuses what the server would cut the connection for.
      const { message } = error as Error;
      this.settle(number, new NotPublished(message.includes('max_payload') ? 'too-large' : 'other', message, { cause: error }));
    }
  }

  /** Answers that are due never come, or are of no interest any more. */
  forget(): void {
    this.waiting.clear();
  }

  close(): void {
    this.forget();
    clearTimeout(this.timer);
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }

  private hear(message: Msg): void {
    this.settle(Number(message.subject.slice(this.inbox.length + 1)), answerIn(message));
  }

  /** The server does not allow the subscription. */
  private unsubscribed(error: Error): void {
    this.subscription = undefined;
    for (const number of this.waiting.keys()) this.settle(number, new NotPublished('other', error.message, { cause: error }));
  }

  private settle(number: number, answer: Stored | NotPublished): void {
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    waiting?.answered(answer);
  }

  private expectWithin(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.missAnswers(), ms).unref();
  }

  private missAnswers(): void {
    this.timer = undefined;
    const now = performance.now();
    for (const [number, { since }] of this.waiting) {
      const left = since + this.patienceMs - now;
      if (left > 0) {
        this.timer ??= this.expectWithin(left);
        return;
      }
      this.settle(number, new NotPublished('other', `no answer within ${this.patienceMs} ms`));
    }
  }
}

/** A block of headers that is written already. */
class WrittenHeaders extends MsgHdrsImpl {
  constructor(private readonly head: Uint8Array) {
    super();
  }

  override encode(): Uint8Array {
    return this.head;
  }
}

function answerIn(message: Msg): Stored | NotPublished {
  const { data } = message;
  if (data.length === 0 && message.headers?.code === 503) return new NotPublished('no-stream', 'no stream takes it');
  try {
    const { error, seq, duplicate } = message.json<{ error?: { err_code: number; description: string }; seq: number; duplicate?: boolean }>();
    if (error) return new NotPublished(kindOf(error.err_code), error.description);
    return { seq, ...(duplicate && { duplicate }) };
  } catch (error) {
    return new NotPublished('other', `the answer is not JSON (${message.string()})`, { cause: error });
  }
}

function kindOf(code: number): NotPublished['kind'] {
  if (code === WRONG_LAST_SEQUENCE || code === WRONG_LAST_MESSAGE) return 'fenced';
  return code === MESSAGE_TOO_LARGE ? 'too-large' : 'other';
}
