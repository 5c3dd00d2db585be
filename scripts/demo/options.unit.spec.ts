import { describe, expect, it } from 'vitest';
import { parseOptions, USAGE } from './options.ts';

describe('the options of the demo', () => {
  it('have defaults that need no broker', () => {
    expect(parseOptions([])).toEqual({ mode: 'in-process', url: undefined, concurrency: 16, json: false, killInventory: false, patienceSeconds: 120 });
  });

  it('are all understood, and explained', () => {
    const args = ['--mode', 'split', '--concurrency', '4', '--json', '--kill-inventory', '--patience', '5'];
    expect(parseOptions(args)).toEqual({ mode: 'split', url: undefined, concurrency: 4, json: true, killInventory: true, patienceSeconds: 5 });
    expect(parseOptions(['--url=http://localhost:3000'])).toMatchObject({ url: 'http://localhost:3000' });
    expect(parseOptions(['-h'])).toBe('help');
    for (const name of ['--mode', '--url', '--concurrency', '--kill-inventory', '--patience', '--json']) expect(USAGE).toContain(name);
  });

  it.each([
    [['--mode', 'cluster'], '--mode "cluster" is none of in-process, nats, split.'],
    [['--url', 'localhost:3000'], '--url "localhost:3000" is not an http:// or https:// address.'],
    [['--url', ''], '--url "" is not an http:// or https:// address.'],
    [['--concurrency', '0'], '--concurrency "0" is not a whole number of 1 or more.'],
    [['--concurrency', 'many'], '--concurrency "many" is not a whole number of 1 or more.'],
    [['--kill-inventory'], '--kill-inventory needs a system that is started here with --mode split.'],
    [['--kill-inventory', '--mode', 'split', '--url', 'http://x'], '--kill-inventory needs a system that is started here with --mode split.'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused', (args, message) => expect(() => parseOptions(args)).toThrow(message));
});
