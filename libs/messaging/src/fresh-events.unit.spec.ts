import { describe, expect, it } from 'vitest';
import type { StoredEvent } from './envelope.js';
import { FreshEvents } from './fresh-events.js';

const events = (from: number, to: number, lane = 0) => Array.from({ length: to - from + 1 }, (_, index) => ({ n: from + index, lane }) as StoredEvent);
const numbers = (found: readonly StoredEvent[]) => found.map(({ n }) => n);

describe('fresh events', () => {
  it('answer for nothing before the sequencer has numbered something', () => {
    expect(new FreshEvents().covers(1_000_000)).toBe(false);
  });

  it('answer for everything from the first number on that was given here', () => {
    const fresh = new FreshEvents();
    fresh.push([...events(11, 12), ...events(13, 13, 1)]);
    expect([fresh.covers(9), fresh.covers(10), fresh.head]).toEqual([false, true, 13]);
    expect([numbers(fresh.after(10, 0, 5)), numbers(fresh.after(11, 0, 5)), numbers(fresh.after(10, 1, 5)), numbers(fresh.after(10, 0, 1))]).toEqual([[11, 12], [12], [13], [11]]);
  });

  it('are read of all lanes together by whoever copies them', () => {
    const fresh = new FreshEvents();
    fresh.push([...events(11, 12), ...events(13, 13, 1)]);
    expect([numbers(fresh.since(10, 5)), numbers(fresh.since(11, 5)), numbers(fresh.since(10, 2)), numbers(fresh.since(13, 5))]).toEqual([[11, 12, 13], [12, 13], [11, 12], []]);
  });

  it('begin anew behind numbers that were given elsewhere, and behind those that were left out', () => {
    const fresh = new FreshEvents();
    fresh.push(events(1, 2));
    fresh.reach(5);
    expect([fresh.covers(2), fresh.covers(5)]).toEqual([false, true]);
    fresh.push(events(1_001, 1_001));
    expect([fresh.covers(5), fresh.covers(1_000), numbers(fresh.after(1_000, 0, 5))]).toEqual([false, true, [1_001]]);
  });

  it('know no event twice, although a heartbeat told of it first', () => {
    const fresh = new FreshEvents();
    fresh.push(events(1, 1));
    fresh.reach(3);
    fresh.push(events(2, 4));
    expect([fresh.covers(2), fresh.covers(3), numbers(fresh.after(3, 0, 5))]).toEqual([false, true, [4]]);
  });

  it('forget the oldest, and say so', () => {
    const fresh = new FreshEvents();
    fresh.push(events(1, 200));
    expect([fresh.covers(71), fresh.covers(72), fresh.after(72, 0, 500).length]).toEqual([false, true, 128]);
  });

  it('answer for nothing once somebody else may number', () => {
    const fresh = new FreshEvents();
    fresh.push(events(1, 3));
    fresh.forget();
    expect(fresh.covers(3)).toBe(false);
    fresh.push(events(7, 7));
    expect([fresh.covers(5), fresh.covers(6)]).toEqual([false, true]);
  });

  it('are certain once they are appended, and not before', async () => {
    const fresh = new FreshEvents(true);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    fresh.push(events(1, 2), first.promise);
    fresh.push(events(3, 3), second.promise);
    expect([fresh.certain(0), fresh.certain(2), fresh.certain(3), fresh.certain(4)]).toEqual([undefined, first.promise, second.promise, undefined]);
    expect([fresh.head, fresh.certainHead]).toEqual([3, 0]);
    first.resolve();
    await first.promise;
    expect([fresh.certain(2), fresh.certain(3), fresh.certainHead]).toEqual([undefined, second.promise, 2]);
  });

  it('take back what is not certain, and tell so at once', async () => {
    const fresh = new FreshEvents(true);
    const told: number[] = [];
    fresh.onWithdrawn((last) => told.push(last));
    const lost = Promise.withResolvers<void>();
    fresh.push(events(1, 2), Promise.resolve());
    await fresh.settled();
    fresh.push(events(3, 4), lost.promise);
    fresh.forget();
    expect([told, fresh.head, fresh.certainHead, fresh.covers(4)]).toEqual([[2], 2, 2, false]);
    // Numbered anew: what becomes of the old numbers says nothing about these.
    const again = Promise.withResolvers<void>();
    fresh.push(events(3, 3), again.promise);
    lost.resolve();
    await lost.promise;
    expect([fresh.certain(3), fresh.certainHead, numbers(fresh.after(2, 0, 5))]).toEqual([again.promise, 2, [3]]);
  });

  it('do not count as certain because somebody else has come as far', () => {
    const fresh = new FreshEvents(true);
    const told: number[] = [];
    fresh.onWithdrawn((last) => told.push(last));
    fresh.push(events(1, 1), new Promise(() => undefined));
    fresh.reach(7);
    fresh.forget();
    expect(told).toEqual([0]);
  });
});
