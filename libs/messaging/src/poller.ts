export interface PollerOptions {
  /** How often to run although nobody poked, in ms; unset: never. */
  readonly everyMs?: number | undefined;
  /** When to try again after an error, in ms. Default 500. */
  readonly retryMs?: number;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 500;

/**
 * Runs `work` when poked; never twice at a time. A poke during a run makes it run again. Errors never end it: the work
 * is tried again after a while.
 */
export class Poller {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = true;

  constructor(private readonly work: () => Promise<void>, private readonly options: PollerOptions) {}

  start(): void {
    this.stopped = false;
    this.poke();
  }

  poke(): void {
    if (this.stopped) return;
    if (this.running) this.again = true;
    else this.running = this.run();
  }

  /** Waits for the run in progress. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    const { everyMs, retryMs = RETRY_MS, onError } = this.options;
    clearTimeout(this.timer);
    let next: number | undefined;
    do {
      this.again = false;
      next = everyMs;
      try {
        await this.work();
      } catch (error) {
        this.again = false;
        next = retryMs;
        onError(error);
      }
    } while (this.again && !this.stopped);
    this.running = undefined;
    if (!this.stopped && next !== undefined) this.timer = setTimeout(() => this.poke(), next);
  }
}
