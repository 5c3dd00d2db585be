import { describe, expect, it } from 'vitest';
import { Aggregate, type EventRecorder, EventRaisedOutsideUnitOfWork, withRecorder } from './aggregate.js';
import { DomainEvent } from './domain-event.js';
import { errorCatalogue } from './error-catalogue.js';
import { DomainError, type ErrorDefinition, UsageError } from './errors.js';
import { uuidv7 } from './ids.js';
import { currentMessage, withMessage } from './message-context.js';
import { Money } from './money.js';

describe('money', () => {
  it('rounds a discounted line half up to a cent, exactly', () => {
    // 3 × 0.15 less 10 % = 0.405 → 0.41; floating point says 0.40499…
    expect(Money.of(15).times(3, 10).amount).toBe(41);
    expect(Money.of(1).times(1, 50).amount).toBe(1);
    expect(Money.of(1).times(1, 51).amount).toBe(0);
    expect(Money.of(1400).times(12).amount).toBe(16800);
    expect(Money.of(100).times(1, 100).amount).toBe(0);
  });

  it('agrees with exact arithmetic for any line', () => {
    for (let round = 0; round < 2_000; round++) {
      const [price, quantity, discount] = [1_000_000, 10_000, 101].map((limit) => Math.floor(Math.random() * limit)) as [number, number, number];
      const hundredths = BigInt(price) * BigInt(quantity) * BigInt(100 - discount);
      const expected = hundredths / 100n + (hundredths % 100n >= 50n ? 1n : 0n);
      expect(BigInt(Money.of(price).times(quantity, discount).amount), `${price} × ${quantity} − ${discount} %`).toBe(expected);
    }
  });

  it('rounds half up below zero, too', () => {
    expect(Money.of(-1).times(1, 50).amount).toBe(0);
    expect(Money.of(-3).times(1, 50).amount).toBe(-1);
    expect(Money.of(-5).times(1, 40).amount).toBe(-3);
  });

  it('refuses fractions, amounts that a number cannot hold, other currencies and odd codes', () => {
    expect(() => Money.of(0.5)).toThrow(/whole number/);
    expect(() => Money.of(Number.MAX_SAFE_INTEGER).times(2)).toThrow(/whole number/);
    expect(() => Money.of(1).add(Money.of(1, 'EUR'))).toThrow(/USD and EUR/);
    expect(() => Money.of(1, 'usd')).toThrow(/ISO 4217/);
  });

  it('is an object of amount and currency in JSON', () => {
    expect(JSON.stringify(Money.of(126579329))).toBe('{"amount":126579329,"currency":"USD"}');
  });
});

describe('ids', () => {
  it('are version 7, unique, and sort by their creation', () => {
    const ids = Array.from({ length: 20_000 }, () => uuidv7());
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('still sort when the clock jumps back', () => {
    const before = uuidv7(Date.now() + 1_000);
    expect(uuidv7(Date.now() - 60_000) > before).toBe(true);
  });
});

class Happened extends DomainEvent {
  static readonly type = 'test.happened';
}

class Thing extends Aggregate {
  readonly id = 'thing';
  happen() {
    this.raise(new Happened());
  }
}

describe('an aggregate', () => {
  it('raises into the recorder around it, counting versions', () => {
    const versions: number[] = [];
    const recorder: EventRecorder = { record: (_aggregate, _event, version) => versions.push(version) > 0 };
    const thing = new Thing();
    withRecorder(recorder, () => {
      thing.happen();
      thing.happen();
    });
    expect(versions).toEqual([1, 2]);
    expect(thing.version).toBe(2);
  });

  it('refuses to raise where the event would be lost, and says what to do', () => {
    expect(() => new Thing().happen()).toThrow(EventRaisedOutsideUnitOfWork);
    expect(() => new Thing().happen()).toThrow(/Thing raised Happened[\s\S]*commandBus\.execute/);
  });
});

describe('an error', () => {
  const thingGone = { code: 'things.gone', kind: 'not-found', title: 'Gone', cause: 'It was taken away.', cure: 'Take another one.' } as const satisfies ErrorDefinition;

  class ThingGone extends DomainError {
    static readonly definition = thingGone;
    constructor(id: string) {
      super(ThingGone.definition, `There is no thing "${id}" any more.`, { id });
    }
  }

  it('has the kind and code of its definition, and a sentence and facts of its own', () => {
    expect(new ThingGone('x')).toMatchObject({ name: 'ThingGone', kind: 'not-found', code: 'things.gone', message: 'There is no thing "x" any more.', details: { id: 'x' } });
  });

  it('is found in a catalogue by its code, once', () => {
    const other = { ...thingGone, code: 'things.broken' };
    expect([...errorCatalogue([ThingGone, other])]).toEqual([['things.gone', thingGone], ['things.broken', other]]);
    expect(() => errorCatalogue([ThingGone, { ...thingGone, title: 'Away' }])).toThrow(/Two errors have the code "things\.gone": "Gone" and "Away"\.\n.*give one of them another code/);
    for (const code of ['gone', 'Things.gone', 'things.was_gone', 'things.']) expect(() => errorCatalogue([{ ...thingGone, code }])).toThrow(UsageError);
  });
});

describe('the message context', () => {
  it('belongs to the work it was opened for', async () => {
    expect(currentMessage()).toBeUndefined();
    const seen = await Promise.all(
      ['a', 'b'].map((correlationId) =>
        withMessage({ correlationId, tenantId: 't' }, async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return currentMessage()?.correlationId;
        }),
      ),
    );
    expect(seen).toEqual(['a', 'b']);
  });
});
