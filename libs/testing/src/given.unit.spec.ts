import { Aggregate, DomainEvent } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { given, when } from './given.js';

class Opened extends DomainEvent {
  static readonly type = 'lamps.opened';
  constructor(readonly by: string, readonly at: Date) {
    super();
  }
}

class Dimmed extends DomainEvent {
  static readonly type = 'lamps.dimmed';
  constructor(readonly to: number) {
    super();
  }
}

class LampBroken extends Error {}

class Lamp extends Aggregate {
  readonly id = 'lamp';
  level = 0;
  static open(by: string): Lamp {
    const lamp = new Lamp();
    lamp.level = 100;
    lamp.raise(new Opened(by, new Date(0)));
    return lamp;
  }
  dim(to: number): void {
    if (to > 100) throw new LampBroken(`${to} is too bright`);
    if (to === this.level) return;
    this.level = to;
    this.raise(new Dimmed(to));
  }
}

const lamp = () => Lamp.open('ann');
const failure = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
};

describe('given, when, then', () => {
  it('tells the events of the decision from those of its past', () => {
    given(lamp, (it) => it.dim(50)).when((it) => it.dim(20)).thenRaises(new Dimmed(20));
    given(lamp).when((it) => it.dim(100)).thenRaises();
  });

  it('gives the aggregate back, for a look at its state', () => {
    expect(given(lamp).when((it) => it.dim(20)).thenRaises(new Dimmed(20))).toMatchObject({ level: 20, version: 2 });
    expect(when(lamp).thenRaises(new Opened('ann', new Date(0))).level).toBe(100);
  });

  it('checks a refusal by class, by message or by an error like it', () => {
    const tooBright = () => given(lamp).when((it) => it.dim(101));
    tooBright().thenRefuses(LampBroken);
    tooBright().thenRefuses(/101 is too bright/);
    tooBright().thenRefuses(new LampBroken('101 is too bright'));
    expect(failure(() => tooBright().thenRefuses(/something else/))).toMatch(/did not match/);
    expect(failure(() => tooBright().thenRefuses(RangeError))).toMatch(/instance of "RangeError"/);
  });

  it('shows the difference between the events that were expected and those that came, by name', () => {
    const message = failure(() => given(lamp).when((it) => it.dim(20)).thenRaises(new Dimmed(30)));
    expect(message).toMatch(/'lamps\.dimmed'.*\n.*\+ +to: 20.*\n.*- +to: 30/);
    expect(failure(() => given(lamp).when((it) => it.dim(20)).thenRaises(new Dimmed(20), new Dimmed(20)))).toContain("'lamps.dimmed'");
    expect(failure(() => given(lamp).when((it) => it.dim(20)).thenRaises())).toContain("'lamps.dimmed'");
  });

  it('says so when a refusal comes instead of an event, and the other way round', () => {
    expect(failure(() => given(lamp).when((it) => it.dim(101)).thenRaises(new Dimmed(101)))).toBe('The decision was refused: Error: 101 is too bright');
    expect(failure(() => given(lamp).when((it) => it.dim(20)).thenRefuses(LampBroken))).toContain('was taken and raised [{"lamps.dimmed":{"to":20}}]');
  });
});
