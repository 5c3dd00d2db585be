import assert from 'node:assert/strict';
import { type DomainEvent, type DomainEventClass, withRecorder } from '@nestbox/kernel';

/** An error class, a pattern for the message, or an error with the same fields. */
export type Refusal = (abstract new (...args: never[]) => Error) | RegExp | Error;

/**
 * What has happened before: makes the aggregate, then takes it through `steps`. Pure, no database.
 *
 * ```ts
 * given(() => Order.place(request, noon)).when((order) => order.confirm(later)).thenRaises(new OrderConfirmed('o-1'));
 * ```
 */
export function given<A>(make: () => A, ...steps: readonly ((aggregate: A) => unknown)[]): { when(decide: (aggregate: A) => unknown): Outcome<A> } {
  const { result: aggregate } = recorded(() => {
    const made = make();
    for (const step of steps) step(made);
    return made;
  });
  return {
    when: (decide) => outcome(() => {
      decide(aggregate);
      return aggregate;
    }),
  };
}

/** A decision without a past, such as one that makes an aggregate. */
export function when<R>(decide: () => R): Outcome<R> {
  return outcome(decide);
}

/** What a decision led to. (Nothing here is named `then`: it would make this a promise to whoever awaits it.) */
export class Outcome<R> {
  constructor(private readonly events: readonly DomainEvent[], private readonly result: R | undefined, private readonly error: unknown) {}

  /**
   * Checks that exactly these events were raised, in this order; none given: nothing was raised. They are compared as
   * handlers get them, that is, as JSON.
   * @returns the aggregate, or what the decision without a past returned, for a look at its state
   * @throws AssertionError with the difference
   */
  thenRaises(...expected: readonly DomainEvent[]): R {
    if (this.error !== undefined) throw new Error(`The decision was refused: ${describe(this.error)}`, { cause: this.error });
    assert.deepEqual(this.events.map(asStored), expected.map(asStored));
    return this.result as R;
  }

  /**
   * Checks that the decision was refused with such an error.
   * @throws AssertionError that says what happened instead
   */
  thenRefuses(refusal: Refusal): void {
    if (this.error === undefined) {
      assert.fail(`The decision should have been refused, but was taken and raised ${JSON.stringify(this.events.map(asStored))}.`);
    }
    assert.throws(() => {
      throw this.error;
    }, refusal as never);
  }
}

function outcome<R>(decide: () => R): Outcome<R> {
  const { events, result, error } = recorded(decide, true);
  return new Outcome(events, result, error);
}

function recorded<R>(work: () => R, catching?: false): { events: DomainEvent[]; result: R };
function recorded<R>(work: () => R, catching: true): { events: DomainEvent[]; result?: R; error?: unknown };
function recorded<R>(work: () => R, catching = false): { events: DomainEvent[]; result?: R; error?: unknown } {
  const events: DomainEvent[] = [];
  const record = (_: unknown, event: DomainEvent) => !events.includes(event) && events.push(event) > 0;
  try {
    return { events, result: withRecorder({ record }, work) };
  } catch (error) {
    if (!catching) throw error;
    return { events, error };
  }
}

/** `{ 'ordering.order-placed': { … } }` */
function asStored(event: DomainEvent): Record<string, unknown> {
  return { [(event.constructor as unknown as DomainEventClass).type]: JSON.parse(JSON.stringify(event)) };
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
