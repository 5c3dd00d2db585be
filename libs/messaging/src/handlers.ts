import { continueTrace, type DomainEvent, type DomainEventClass, SYSTEM, withMessage } from '@nestbox/kernel';
import type { StoredEvent } from './envelope.js';
import { readEvent } from './read-event.js';

/** One event handler of a reader. */
export interface EventHandler {
  /** Stable name, kept with what is in trouble: the class name. */
  readonly name: string;
  /** The event classes it handles, by type. */
  readonly events: ReadonlyMap<string, DomainEventClass>;
  handle(event: DomainEvent): Promise<unknown> | unknown;
}

/** True for failures that no further attempt can cure: a person has to do something first. */
export function isIncurable(error: unknown): boolean {
  return error instanceof Error && (error as { incurable?: unknown }).incurable === true;
}

/** The key whose order is kept: an aggregate of a tenant. */
export function keyOf(event: Pick<StoredEvent, 'tenantId' | 'aggregateType' | 'aggregateId'>): string {
  return `${event.tenantId}/${event.aggregateType}/${event.aggregateId}`;
}

/**
 * Calls a handler with the event as an object of its class, in the event's message context and the name of the system: nobody waits
 * for it, and what it does is the system's rule, not the wish of whoever has caused the event.
 * @throws UnknownEventVersion, UndecodableEvent, EventWithheld, or what the handler throws
 */
export async function deliver(handler: EventHandler, event: StoredEvent): Promise<void> {
  const object = readEvent(handler.events.get(event.type)!, event);
  await withMessage(
    { correlationId: event.headers.correlationId, causationId: event.id, origin: handler.name, tenantId: event.tenantId, identity: SYSTEM, ...continueTrace(event.headers) },
    async () => handler.handle(object),
  );
}
