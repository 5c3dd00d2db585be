import { type DomainEvent, withRecorder } from '@nestbox/kernel';

/** Runs `work` and returns the events that were raised meanwhile. */
export function eventsOf(work: () => void): DomainEvent[] {
  const events: DomainEvent[] = [];
  withRecorder({ record: (_, event) => events.push(event) > 0 }, work);
  return events;
}
