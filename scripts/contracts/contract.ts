import type { Type } from '@nestjs/common';
import type { JsonSchema } from '@nestbox/kernel';
import { type Catalogue, closed, schemaOf } from '@nestbox/messaging';

/** What a context has promised about one of its events. */
export interface EventContract {
  readonly schemaVersion: number;
  readonly payload: JsonSchema;
}

/** What a context has promised about a command or query that it answers. */
export interface RequestContract {
  readonly kind: 'command' | 'query';
  readonly request: JsonSchema;
  /** What it gives back; left out when nobody has said. */
  readonly reply?: JsonSchema;
}

/** What the other contexts build on: `docs/contracts/<context>.json`. */
export interface Contract {
  readonly context: string;
  readonly events: Readonly<Record<string, EventContract>>;
  readonly requests: Readonly<Record<string, RequestContract>>;
}

/** The contract of every context, by the classes as they are. */
export function contractsOf({ contexts, events, messages }: Catalogue): Contract[] {
  return contexts.map((context) => ({
    context,
    events: Object.fromEntries(
      events.filter((published) => published.context === context).map(({ event }) => [event.type, { schemaVersion: event.schemaVersion ?? 1, payload: shape(schemaOf(event as unknown as Type)) }]),
    ),
    requests: Object.fromEntries(
      messages.filter((answered) => answered.context === context).map(({ kind, message }) => [
        message.type,
        { kind, request: shape(closed(schemaOf(message))), ...(message.reply && { reply: shape(schemaOf(message.reply)) }) },
      ]),
    ),
  }));
}

/** A schema without what is for people: other words break nobody. */
function shape({ title: _title, description: _description, examples: _examples, default: _default, properties, items, ...rest }: JsonSchema): JsonSchema {
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, shape(field)])) }),
    ...(items && { items: shape(items) }),
  };
}
