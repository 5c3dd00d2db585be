import { Answers } from '../proof/answers.ts';
import type { Wish } from '../proof/subject.ts';
import type { Cast } from './cast.ts';

const TENANTS = 4;
const BASKETS = 12;
/** Commands without an answer beyond which no new one is sent: a person would not wait in a longer queue either. */
const MOST_IN_FLIGHT = 200;
const MANNERS: readonly Wish['manner'][] = ['plain', 'plain', 'pair', 'plain', 'nested', 'plain', 'apart', 'plain', 'undone', 'plain'];

/** Sends commands at a steady rate, whatever becomes of them. */
export class Workload {
  readonly answers = new Answers();
  sent = 0;
  private readonly cast: Cast;
  private readonly timer: NodeJS.Timeout;
  private readonly inFlight = new Set<Promise<void>>();

  constructor(cast: Cast, perSecond: number) {
    this.cast = cast;
    this.timer = setInterval(() => this.send(), 1_000 / perSecond);
  }

  /** Sends no more, and waits for the answers. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.inFlight);
  }

  private send(): void {
    const target = this.cast.entrance(this.sent);
    if (!target || this.inFlight.size >= MOST_IN_FLIGHT) return;
    const number = this.sent++;
    const tenant = `t${number % TENANTS}`;
    const basket = `${tenant}-b${Math.floor(number / TENANTS) % BASKETS}`;
    const wish = { tenant, basket, times: 1 + (number % 3), manner: MANNERS[number % MANNERS.length]! };
    const asked = target.ask(wish).then((steps) => {
      if (steps !== undefined) this.answers.note(basket, wish.times, steps);
    });
    this.inFlight.add(asked);
    void asked.finally(() => this.inFlight.delete(asked));
  }
}
