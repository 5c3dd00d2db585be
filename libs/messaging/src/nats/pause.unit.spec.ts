import { describe, expect, it } from 'vitest';
import { Backoff, Pause } from './pause.js';

describe('Pause', () => {
  it('is cut short by a wake', async () => {
    const pause = new Pause();
    const waiting = pause.for(1_000_000);
    pause.wake();
    await waiting;
  });

  it('does not miss a wake that came before it, and counts it once', async () => {
    const pause = new Pause();
    pause.wake();
    pause.wake();
    await pause.for(1_000_000);
    let over = false;
    const waiting = pause.for(1_000_000).then(() => (over = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(over).toBe(false);
    pause.wake();
    await waiting;
  });

  it('ends for good', async () => {
    const pause = new Pause();
    const waiting = pause.for(1_000_000);
    pause.end();
    await waiting;
    await pause.for(1_000_000);
    await pause.for(1_000_000);
  });
});

describe('Backoff', () => {
  it('doubles up to its limit, with jitter, and starts anew after a reset', () => {
    const backoff = new Backoff(100, 350);
    for (const ceiling of [100, 200, 350, 350]) {
      const ms = backoff.next();
      expect(ms).toBeGreaterThanOrEqual(ceiling / 2);
      expect(ms).toBeLessThanOrEqual(ceiling);
    }
    backoff.reset();
    expect(backoff.next()).toBeLessThanOrEqual(100);
  });
});
