import { describe, expect, it } from 'vitest';
import type { SourcedEvent } from '../envelope.js';
import { someEvents } from './fixture.spec.js';
import { LaneBuffer } from './lane-buffer.js';

const created = '2026-11-21T07:00:00.000Z';
/** One lane, so that every event follows the one before. */
const events: SourcedEvent[] = someEvents(3_000, { lanes: 1 }).map((event) => ({ ...event, hint: { created, sequence: event.n + 100 } }));
const at = (n: number) => ({ lane: 0, n });
const numbers = (found: SourcedEvent[]) => found.map((event) => event.n);

function filled(from: number, to: number, limit = 1_000): LaneBuffer {
  const buffer = new LaneBuffer(at(from), limit);
  for (const event of events.slice(from, to)) buffer.append(event);
  return buffer;
}

describe('LaneBuffer', () => {
  it('gives what comes after a position, a batch at a time, and again when asked again', () => {
    const buffer = filled(10, 20);
    expect(numbers(buffer.after(at(10), 3))).toEqual([11, 12, 13]);
    expect(numbers(buffer.after(at(13), 3))).toEqual([14, 15, 16]);
    expect(numbers(buffer.after(at(10), 2))).toEqual([11, 12]);
    expect(numbers(buffer.after(at(20), 5))).toEqual([]);
    expect(buffer.covers(10)).toBe(true);
    expect(buffer.covers(9)).toBe(false);
  });

  it('tells the next event from a known one and from one after a gap', () => {
    const buffer = filled(10, 20);
    expect(buffer.relationOf(events[14]!)).toBe('known');
    expect(buffer.relationOf(events[20]!)).toBe('next');
    expect(buffer.relationOf(events[21]!)).toBe('gap');
  });

  it('takes an event whose predecessor is before its start', () => {
    const buffer = new LaneBuffer(at(10), 10);
    expect(buffer.relationOf({ ...events[14]!, prev: 3 })).toBe('next');
  });

  it('follows a reader that is further on', () => {
    const buffer = filled(10, 20);
    expect(buffer.after({ lane: 0, n: 30, hint: { created, sequence: 7 } }, 5)).toEqual([]);
    expect(buffer.tail).toBe(30);
    expect(buffer.tailHint).toEqual({ created, sequence: 7 });
    expect(buffer.relationOf(events[30]!)).toBe('next');
  });

  it('is full of what is unread only, and asks for more when half is read', () => {
    const buffer = filled(0, 10, 10);
    expect(buffer.full).toBe(true);
    buffer.overflowed = true;
    buffer.after(at(4), 1);
    expect([buffer.full, buffer.wantsMore]).toEqual([false, false]);
    buffer.after(at(5), 1);
    expect(buffer.wantsMore).toBe(true);
  });

  it('forgets what was read long ago, and knows where its chain begins then', () => {
    const buffer = filled(0, 3_000, 5_000);
    expect(numbers(buffer.after(at(2_500), 1))).toEqual([2_501]);
    expect(buffer.covers(0)).toBe(false);
    expect(buffer.covers(2_000)).toBe(true);
    expect(numbers(buffer.after(at(2_000), 2))).toEqual([2_001, 2_002]);
    expect(buffer.tailHint).toEqual({ created, sequence: 3_100 });
  });
});
