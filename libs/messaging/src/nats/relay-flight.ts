import type { LoggedEvent } from '../relay-log.js';
import { type Answered, NotPublished } from './stream-publisher.js';

/** Why a publish did not put its event where the relay had predicted. */
export type Refusal =
  | { readonly kind: 'duplicate'; readonly event: LoggedEvent }
  | { readonly kind: NotPublished['kind']; readonly event: LoggedEvent; readonly error: NotPublished };

export interface FlightOptions {
  /** The stream's last sequence. */
  readonly sequence: number;
  /** Number of the last event that need not be sent. */
  readonly n: number;
  /** How many answers may be due. */
  readonly window: number;
  /**
   * Sends an event if the stream's last sequence is as expected, and the last event the one sent before: a foreign
   * message in the place of a refused event would otherwise let all later ones pass.
   * @param before message id of that event; undefined for the first
   * @returns the message id under which it was sent
   */
  readonly publish: (event: LoggedEvent, expected: number, before: string | undefined, answered: Answered) => string;
  /** Called whenever no answer is due any more. */
  readonly onEmpty: () => void;
}

/** Publishes in flight: a window of predictions, each one sequence after the other, until the first that fails. */
export class Flight {
  /** Number of the last event sent. */
  sent: number;
  /** Number of the last event that the stream has confirmed. */
  confirmed: number;
  private sequence: number;
  private before: string | undefined;
  private refused: Refusal | undefined;
  private inFlight = 0;
  private abandoned = false;
  private waiting: { readonly upTo: number; readonly resolve: () => void } | undefined;

  constructor(private readonly options: FlightOptions) {
    this.sequence = options.sequence;
    this.sent = options.n;
    this.confirmed = options.n;
  }

  /** The refusal of the earliest event that was refused. */
  get refusal(): Refusal | undefined {
    return this.refused;
  }

  get full(): boolean {
    return this.inFlight >= this.options.window;
  }

  /** Nothing more may be sent. */
  get over(): boolean {
    return this.abandoned || this.refused !== undefined;
  }

  get empty(): boolean {
    return this.inFlight === 0;
  }

  send(event: LoggedEvent): void {
    const expected = this.sequence++;
    this.sent = event.n;
    this.inFlight++;
    this.before = this.options.publish(event, expected, this.before, (answer) => {
      if (answer instanceof NotPublished) this.refuse({ kind: answer.kind, event, error: answer });
      else if (answer.duplicate || answer.seq !== expected + 1) this.refuse({ kind: 'duplicate', event });
      else this.confirmed = Math.max(this.confirmed, event.n);
      this.landed();
    });
  }

  /** Resolves when half of the window is free again: a few messages at a time would cost as much as many. */
  room(): Promise<void> {
    return this.atMost(this.options.window >> 1);
  }

  settled(): Promise<void> {
    return this.atMost(0);
  }

  /** The connection was lost: answers that were due on it never come. */
  abandon(): void {
    this.abandoned = true;
    this.waiting?.resolve();
  }

  /** Resolves when so many answers are due; at once when none is to be waited for. */
  private atMost(upTo: number): Promise<void> {
    if (this.inFlight <= upTo || this.abandoned) return Promise.resolve();
    return new Promise((resolve) => (this.waiting = { upTo, resolve }));
  }

  private landed(): void {
    this.inFlight--;
    if (this.waiting && this.inFlight <= this.waiting.upTo) {
      this.waiting.resolve();
      this.waiting = undefined;
    }
    if (this.empty) this.options.onEmpty();
  }

  private refuse(refusal: Refusal): void {
    if (!this.refused || refusal.event.n < this.refused.event.n) this.refused = refusal;
  }
}
