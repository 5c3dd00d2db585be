import { Clock } from '@nestbox/kernel';
import { type Duration, milliseconds } from './duration.js';

/**
 * The clock of a test: it stands still until it is moved. Aggregates and handlers see it as the kernel's `Clock`; the
 * waiting time of retries, which the database keeps, passes with it.
 */
export class TestClock extends Clock {
  private time: number;

  /** @param passTime lets this many milliseconds pass for whatever waits elsewhere */
  constructor(start: Date, private readonly passTime: (ms: number) => Promise<void>) {
    super();
    this.time = start.getTime();
  }

  now(): Date {
    return new Date(this.time);
  }

  /**
   * Moves the time on, and returns when everything that fell due meanwhile has run: every retry whose waiting time
   * ends by then, in its order, and what that retry made wait again.
   */
  async advance(by: Duration): Promise<void> {
    const ms = milliseconds(by);
    this.time += ms;
    await this.passTime(ms);
  }
}
