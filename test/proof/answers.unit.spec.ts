import { describe, expect, it } from 'vitest';
import { Answers } from './answers.ts';

describe('the answers of commands', () => {
  it('agree when each has steps of its own, in whatever order they come', () => {
    const answers = new Answers();
    answers.note('a', 2, 5);
    answers.note('a', 3, 3);
    answers.note('b', 1, 5);
    expect([answers.contradictions, [...answers.highest], answers.count]).toEqual([[], [['a', 5], ['b', 5]], 3]);
  });

  it('contradict each other when one was undone, and another has taken its steps', () => {
    const answers = new Answers();
    answers.note('a', 2, 5);
    answers.note('a', 1, 4);
    expect(answers.contradictions).toEqual(['a step 4 was given to two commands']);
  });
});
