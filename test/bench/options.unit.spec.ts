import { describe, expect, it } from 'vitest';
import { readOptions } from './options.js';

describe('the command line', () => {
  it('names benchmarks, and has defaults for the rest', () => {
    expect(readOptions(['http', 'soak'])).toEqual({ names: ['http', 'soak'], rounds: undefined, scale: 1, json: false, profile: undefined, minutes: 30, plot: undefined });
  });

  it('says how long, how often, and where to', () => {
    expect(readOptions(['soak', '--minutes', '0.5', '--rounds=2', '--scale', '0.1', '--plot', 'soak.svg', '--json', '--profile', 'profiles'])).toEqual({
      names: ['soak'], rounds: 2, scale: 0.1, json: true, profile: 'profiles', minutes: 0.5, plot: 'soak.svg',
    });
  });

  it.each([
    [['--minutes', 'abc'], '--minutes is "abc", which is not a number above 0.\n  What to do: write it like --minutes 3.'],
    [['--minutes', '0'], '--minutes is "0"'],
    [['--minutes', ''], '--minutes is ""'],
    [['--minutes', 'Infinity'], '--minutes is "Infinity"'],
    [['--minutes=-5'], '--minutes is "-5"'],
    [['--scale', '1,5'], '--scale is "1,5", which is not a number above 0.\n  What to do: write it like --scale 0.1.'],
    [['--rounds', '1.5'], '--rounds is "1.5", which is not a whole number.'],
    [['--minute', '3'], "Unknown option '--minute'"],
    [['--json=yes'], "Option '--json' does not take an argument"],
  ])('with %j is refused, and it says why', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
