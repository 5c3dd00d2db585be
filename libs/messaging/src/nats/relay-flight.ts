import { JetStreamApiError, type PubAck } from '@nats-io/jetstream';
import { RequestError } from '@nats-io/transport-node';
import type { StoredEvent } from '../envelope.js';

const WRONG_LAST_SEQUENCE = 10071;
const WRONG_LAST_MESSAGE = 10070;
const MESSAGE_TOO_LARGE = 10054;

/** Why a publish did not put its event where the relay had predicted. */
export type Refusal =
  | { readonly kind: 'fenced' | 'duplicate' | 'no-stream'; readonly event: StoredEvent; readonly error?: Error }
  | { readonly kind: 'too-large' | 'other'; readonly event: StoredEvent; readonly error: Error };

/** Publishes in flight: a window of predictions, each one sequence after the other, until the first that fails. */
export class Flight {
  /** Number of the last event sent. */
  sent: number;
  /** Number of the last event that the stream has confirmed. */
  confirmed: number;
  private before: string | undefined;
  private refused: Refusal | undefined;
  private inFlight = 0;
  private abandoned = false;
  private landed: (() => void) | undefined;

  /**
   * @param sequence the stream's last sequence; raised with every event sent
   * @param n number of the stream's last event
   * @param publish sends an event if the stream's last sequence is as expected, and the last event the one sent before:
   *   a foreign message in the place of a refused event would otherwise let all later ones pass
   */
  constructor(
    private sequence: number,
    n: number,
    private readonly window: number,
    private readonly publish: (event: StoredEvent, expected: number, before: string | undefined) => Promise<PubAck>,
  ) {
    this.sent = n;
    this.confirmed = n;
  }

  /** The refusal of the earliest event that was refused. */
  get refusal(): Refusal | undefined {
    return this.refused;
  }

  get full(): boolean {
    return this.inFlight >= this.window;
  }

  /** Nothing more may be sent. */
  get over(): boolean {
    return this.abandoned || this.refused !== undefined;
  }

  get empty(): boolean {
    return this.inFlight === 0;
  }

  send(event: StoredEvent): void {
    const expected = this.sequence++;
    const before = this.before;
    this.before = event.id;
    this.sent = event.n;
    this.inFlight++;
    void this.follow(event, expected, before).finally(() => {
      this.inFlight--;
      this.landed?.();
    });
  }

  /** Resolves when the next answer is there, or at once when none is to be waited for. */
  landing(): Promise<void> {
    if (this.empty || this.abandoned) return Promise.resolve();
    return new Promise((resolve) => (this.landed = resolve));
  }

  async settled(): Promise<void> {
    while (!this.empty && !this.abandoned) await this.landing();
  }

  /** The connection was lost: answers that were due on it never come. */
  abandon(): void {
    this.abandoned = true;
    this.landed?.();
  }

  private async follow(event: StoredEvent, expected: number, before: string | undefined): Promise<void> {
    try {
      const ack = await this.publish(event, expected, before);
      if (ack.duplicate || ack.seq !== expected + 1) this.refuse({ kind: 'duplicate', event });
      else this.confirmed = Math.max(this.confirmed, event.n);
    } catch (error) {
      this.refuse({ kind: kindOf(error as Error), event, error: error as Error });
    }
  }

  private refuse(refusal: Refusal): void {
    if (!this.refused || refusal.event.n < this.refused.event.n) this.refused = refusal;
  }
}

function kindOf(error: Error): Refusal['kind'] {
  if (error instanceof JetStreamApiError && (error.code === WRONG_LAST_SEQUENCE || error.code === WRONG_LAST_MESSAGE)) return 'fenced';
  if (error instanceof JetStreamApiError && error.code === MESSAGE_TOO_LARGE) return 'too-large';
  if (error.cause instanceof RequestError && error.cause.isNoResponders()) return 'no-stream';
  // The client itself refuses what the server would cut the connection for.
  return `${error.message} ${(error.cause as Error | undefined)?.message ?? ''}`.includes('max_payload') ? 'too-large' : 'other';
}
