/** Where the time comes from. Inject it, so that a test can set it. */
export abstract class Clock {
  abstract now(): Date;
}

/** The machine's wall clock. */
export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}
