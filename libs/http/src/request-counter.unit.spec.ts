import { describe, expect, it } from 'vitest';
import { RequestCounter } from './request-counter.js';

describe('requests are counted', () => {
  it('in windows that begin with the first of them', () => {
    const counter = new RequestCounter(60, 10);
    expect(counter.count('ada', 1_000)).toEqual({ count: 1, seconds: 60 });
    expect(counter.count('ada', 31_001)).toEqual({ count: 2, seconds: 30 });
    expect(counter.count('ada', 60_999)).toEqual({ count: 3, seconds: 1 });
    expect(counter.count('ada', 61_000)).toEqual({ count: 1, seconds: 60 });
  });

  it('for each caller alone', () => {
    const counter = new RequestCounter(60, 10);
    for (const caller of ['ada', 'bob', 'ada']) counter.count(caller, 0);
    expect([counter.count('ada', 1).count, counter.count('bob', 1).count]).toEqual([3, 2]);
  });

  it('for so many callers: more start anew, first who was silent for longest', () => {
    const counter = new RequestCounter(60, 2);
    for (const caller of ['ada', 'bob', 'ada', 'eve']) counter.count(caller, 0);
    expect(counter.count('ada', 1).count).toBe(3);
    expect(counter.count('bob', 1).count).toBe(1);
  });
});
