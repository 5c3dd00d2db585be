import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { type Rules, RULES } from './rules.ts';

/** Worlds to look at where there are too many for all. */
const ENOUGH = 50_000;
/** An exploration may take this long on a busy machine, in ms. */
const PATIENCE = 300_000;

/**
 * Who owns a lane, how it is moved, lost, taken, pruned and set back, in every order of steps: two or three processes
 * that crash, start again, are paused anywhere and are not told of what they have committed, and a server that ends
 * transactions. What is decided, is decided by the functions that the engine uses.
 */
describe('whatever happens in whatever order, the effects of a lane', { timeout: PATIENCE }, () => {
  const exploring = (name: string, rules: Partial<Rules>, atMost?: number) => {
    const { states, steps, violation } = explore({ ...RULES, ...rules }, atMost);
    console.log(`${name}: ${states} states, ${steps} steps${states > (atMost ?? Infinity) ? ' (the nearest ones)' : ', all there are'}.`);
    expect(violation).toBeUndefined();
    return states;
  };

  it('are committed once, in order, and somebody can always go on', () => {
    expect(exploring('two events, two owners', {})).toBeGreaterThan(200_000);
  });

  it('are committed once, in order, by many owners after each other', () => {
    expect(exploring('one event, three generations between two looks', { events: 1, rows: 3 })).toBeGreaterThan(200_000);
  });

  it('are committed once more, in order, when a person sets the lane back', () => {
    expect(exploring('one event, set back once', { events: 1, setBacks: 1 })).toBeGreaterThan(200_000);
  });

  it('are committed once, in order, by three owners', () => {
    exploring('three owners', { processes: 3 }, ENOUGH);
  });

  it('are committed once, in order, by owners who decide on what they saw long ago', () => {
    exploring('late decisions', { events: 1, delayed: true }, ENOUGH);
  });

  it('are committed once, in order, even if the living are taken for dead: leases only save work', () => {
    exploring('wrong about who lives', { events: 1, blind: true });
  });
});

describe('the exploration finds what is wrong', { timeout: PATIENCE }, () => {
  const violation = (rules: Partial<Rules>) => {
    const found = explore({ ...RULES, events: 1, ...rules }).violation;
    if (found) console.log(`${found.what}, after ${found.way.length - 1} steps:\n  ${found.way.join('\n  ')}`);
    return found?.what;
  };

  it('when a fence does not fail although the lane was moved', () => {
    expect(violation({ fence: false })).toMatch(/committed twice/);
  });

  it('when a claim leaves a generation out', () => {
    expect(violation({ claimed: (newest, me) => ({ ...RULES.claimed(newest, me), gen: newest.gen + 2 }) })).toMatch(/committed twice/);
  });

  it('when a fence is trusted for ever, although generations are pruned', () => {
    expect(violation({ looksTrue: () => true })).toMatch(/committed twice/);
  });

  it('when an effect is committed before the position', () => {
    expect(violation({ together: false })).toMatch(/committed twice/);
  });

  it('when events are skipped', () => {
    expect(violation({ events: 2, claimed: (newest, me) => ({ ...RULES.claimed(newest, me), n: Math.min(1, newest.n + 1) }) })).toMatch(/handled before/);
  });

  it('when nobody takes up what is its own but was not told so', () => {
    expect(violation({ decide: (sight, held) => ({ ...RULES.decide(sight, held), own: [] }) })).toBe('nobody goes on with the lane');
  });

  it('when the lanes of the dead are not free', () => {
    expect(violation({ decide: (sight, held) => ({ ...RULES.decide(sight, held), free: RULES.decide(sight, held).free.filter(({ owner }) => owner === null) }) })).toBe('nobody goes on with the lane');
  });
});
