import type { WriteStream } from 'node:tty';

const WIDTH = 30;
/** How often the bar is drawn at most, in ms. */
const DRAW_EVERY = 50;

/** Shows how far a phase is: a bar on a terminal, a line per quarter elsewhere. */
export class Progress {
  private readonly out: Pick<WriteStream, 'write'> & { readonly isTTY?: boolean };
  private readonly label: string;
  private readonly total: number;
  private readonly started = performance.now();
  private drawn = -Infinity;
  private quarter = 0;
  private count = 0;

  constructor(out: Pick<WriteStream, 'write'> & { readonly isTTY?: boolean }, label: string, total: number) {
    this.out = out;
    this.label = label;
    this.total = total;
    this.show(0);
  }

  /** One more is done. */
  tick(): void {
    this.show(this.count + 1);
  }

  /** So many are done. */
  show(count: number): void {
    this.count = count;
    if (this.out.isTTY) this.draw();
    else this.print();
  }

  private draw(): void {
    const now = performance.now();
    if (now - this.drawn < DRAW_EVERY && this.count < this.total) return;
    this.drawn = now;
    const full = this.total === 0 ? WIDTH : Math.round((WIDTH * this.count) / this.total);
    this.out.write(`\r${this.label.padEnd(12)} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${this.count}/${this.total} ${this.seconds(now)} s${this.count >= this.total ? '\n' : ''}`);
  }

  private print(): void {
    const quarter = this.total === 0 ? 4 : Math.floor((4 * this.count) / this.total);
    if (quarter <= this.quarter) return;
    this.quarter = quarter;
    this.out.write(`${this.label} ${this.count}/${this.total} ${this.seconds(performance.now())} s\n`);
  }

  private seconds(now: number): string {
    return ((now - this.started) / 1000).toFixed(1);
  }
}
