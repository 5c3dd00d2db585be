/** The waits of one loop: until a time has passed, somebody wakes it, or it is ended for good. */
export class Pause {
  private wakeUp: (() => void) | undefined;
  private news = false;
  private ended = false;

  /** Resolves after `ms`, on {@link wake} or {@link end}; at once when one of them came since the last pause. */
  for(ms: number): Promise<void> {
    if (this.news || this.ended) {
      this.news = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wakeUp?.(), ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        this.wakeUp = undefined;
        resolve();
      };
    });
  }

  wake(): void {
    if (this.wakeUp) this.wakeUp();
    else this.news = true;
  }

  /** Ends the pause in progress, and every later one at once. */
  end(): void {
    this.ended = true;
    this.wakeUp?.();
  }
}

/** Doubles from `least` to `most` milliseconds, with jitter, until it is reset. */
export class Backoff {
  private step = 0;

  constructor(
    private readonly least: number,
    private readonly most: number,
  ) {}

  next(): number {
    const ceiling = Math.min(this.most, this.least * 2 ** this.step++);
    return ceiling / 2 + Math.random() * (ceiling / 2);
  }

  reset(): void {
    this.step = 0;
  }
}
