import type { DomainEvent, DomainEventClass } from '@nestbox/kernel';
import type { StoredEvent } from './envelope.js';
import { upcast } from './upcast.js';

/** The event was written by a newer or older version of its class than this process knows. */
export class UnknownEventVersion extends Error {
  readonly incurable = true;

  constructor({ type, schemaVersion }: StoredEvent, known: number) {
    const cure = schemaVersion > known ? 'Deploy the version that knows it, then replay.' : `Give the event class an upcaster for version ${schemaVersion}, deploy, then replay.`;
    super(`${type} arrived with schema version ${schemaVersion}, this process knows version ${known}. ${cure}`);
    this.name = new.target.name;
  }
}

/** No event object can be made of the payload: broken on its way, or not what the event class expects. */
export class UndecodableEvent extends Error {
  readonly incurable = true;

  constructor({ type, id }: StoredEvent, why: string, options?: ErrorOptions) {
    super(`The payload of ${type} (${id}) cannot be decoded: ${why}. Edit it and replay, or skip it.`, options);
    this.name = new.target.name;
  }
}

/** The broker would not take the event; in its place came a message that says so. */
export class EventWithheld extends Error {
  readonly incurable = true;

  constructor({ type, id, tombstone }: StoredEvent) {
    super(`${type} (${id}) came without its payload, because the broker would not take it (${tombstone}). The outbox has it: \`trouble edit ${id} --original\` gives it to this handler.`);
    this.name = new.target.name;
  }
}

/**
 * The event as an object of its class, whatever version of it was stored. Every read goes through here: from the log,
 * from JetStream, from trouble and for a rebuild.
 * @throws UnknownEventVersion, UndecodableEvent, EventWithheld
 */
export function readEvent<E extends DomainEvent>(type: DomainEventClass<E>, event: StoredEvent): E {
  if (event.tombstone !== undefined) throw new EventWithheld(event);
  const { payload, schemaVersion } = event;
  const known = type.schemaVersion ?? 1;
  if (schemaVersion > known || (schemaVersion < known && !type.upcasters?.[schemaVersion])) throw new UnknownEventVersion(event, known);
  if (!isJsonObject(payload)) throw new UndecodableEvent(event, typeof payload === 'string' ? `it is not JSON (${parseError(payload)})` : 'it is not a JSON object');
  try {
    const present = upcast(type, payload, schemaVersion);
    return type.revive ? type.revive(present) : Object.assign(Object.create(type.prototype) as E, present);
  } catch (error) {
    throw new UndecodableEvent(event, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Whether a payload is what every event has; what came as something else is kept as it came, for people. */
export function isJsonObject(payload: unknown): payload is Record<string, unknown> {
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload);
}

function parseError(text: string): string {
  try {
    JSON.parse(text);
    return 'but a text';
  } catch (error) {
    return (error as Error).message;
  }
}
