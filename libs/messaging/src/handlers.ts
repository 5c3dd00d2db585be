import { type DomainEvent, type DomainEventClass, withMessage } from '@nestbox/kernel';
import type { StoredEvent } from './envelope.js';

/** One event handler of a reader. */
export interface EventHandler {
  /** Stable name, kept with what is in trouble: the class name. */
  readonly name: string;
  /** The event classes it handles, by type. */
  readonly events: ReadonlyMap<string, DomainEventClass>;
  handle(event: DomainEvent): Promise<unknown> | unknown;
}

/** The event was written by a newer or older version of its class than this process knows. */
export class UnknownEventVersion extends Error {
  constructor(event: StoredEvent, known: number) {
    super(`${event.type} arrived with schema version ${event.schemaVersion}, this process knows version ${known}. Deploy the version that knows it, then replay.`);
    this.name = new.target.name;
  }
}

/** The key whose order is kept: an aggregate of a tenant. */
export function keyOf(event: StoredEvent): string {
  return `${event.tenantId}/${event.aggregateType}/${event.aggregateId}`;
}

/** Calls a handler with the event as an object of its class, in the event's message context. */
export async function deliver(handler: EventHandler, event: StoredEvent): Promise<void> {
  const type = handler.events.get(event.type)!;
  const known = type.schemaVersion ?? 1;
  if (event.schemaVersion !== known) throw new UnknownEventVersion(event, known);
  const object = Object.assign(Object.create(type.prototype as object) as DomainEvent, event.payload);
  const { correlationId, traceparent } = event.headers;
  await withMessage(
    { correlationId, causationId: event.id, tenantId: event.tenantId, ...(traceparent && { traceparent }) },
    async () => handler.handle(object),
  );
}
