import { AsyncLocalStorage } from 'node:async_hooks';
import type { DomainEvent } from './domain-event.js';
import { UsageError } from './errors.js';

/** Takes the events that aggregates raise. The unit of work is one; a test may bring its own. */
export interface EventRecorder {
  /** Takes the event; false when it has this very object already, which then counts once. */
  record(aggregate: Aggregate, event: DomainEvent, aggregateVersion: number): boolean;
}

const recorders = new AsyncLocalStorage<EventRecorder>();

/** Runs `work`, and whatever it awaits, with `recorder` taking every event raised meanwhile. */
export function withRecorder<T>(recorder: EventRecorder, work: () => T): T {
  return recorders.run(recorder, work);
}

/** An event was raised where nobody would store it. */
export class EventRaisedOutsideUnitOfWork extends UsageError {
  constructor(aggregate: Aggregate, event: DomainEvent) {
    super(
      `${aggregate.constructor.name} raised ${event.constructor.name} outside a unit of work, so the event would be lost.`,
      'run the code as a command (commandBus.execute), or inside unitOfWork.run(…); in a test of the model alone, inside given(…).when(…).',
    );
  }
}

/**
 * The consistency boundary: a cluster of objects that is loaded, decided upon and stored as a whole.
 * Subclasses decide in their methods and state what happened with `raise`.
 */
export abstract class Aggregate<Id extends string = string> {
  abstract readonly id: Id;

  /** Whose it is: the tenant that its store was given it for. Empty before, and where rows belong to nobody. */
  readonly tenantId: string = '';

  /** Counts changes: +1 for every event raised, and for a change stored without an event. 0 = not stored yet. */
  version = 0;

  /**
   * States a fact. It is stored with the aggregate's rows in one transaction, or not at all.
   * @throws EventRaisedOutsideUnitOfWork when no unit of work is there to store it
   */
  protected raise(event: DomainEvent): void {
    const recorder = recorders.getStore();
    if (!recorder) throw new EventRaisedOutsideUnitOfWork(this, event);
    if (recorder.record(this, event, this.version + 1)) this.version += 1;
  }
}
