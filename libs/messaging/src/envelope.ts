/** An event as it is kept: a row of an outbox with its number in the log, or a message of a stream. */
export interface StoredEvent {
  /** Number in the publishing context's log: 1, 2, 3 … in an order that respects every aggregate. */
  readonly n: number;
  /** `n` of the previous event of the same lane; 0 for the first. A reader that is not there yet has a gap. */
  readonly prev: number;
  /** Hash slot of the aggregate, 0 to LANES − 1. */
  readonly lane: number;
  /** UUID v7; `ce-id` and `Nats-Msg-Id` on the wire. */
  readonly id: string;
  readonly tenantId: string;
  /** `<context>.<aggregate>`, for example `ordering.order`. */
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The aggregate's version once this event had happened. */
  readonly aggregateVersion: number;
  /** `<context>.<what-happened>`, for example `ordering.order-placed`. */
  readonly type: string;
  readonly schemaVersion: number;
  /** A JSON object. Anything else is the data of a message that is broken, as it came. */
  readonly payload: Record<string, unknown>;
  /** Why the broker would not take the event: it came without its payload, which only the outbox has. */
  readonly tombstone?: string;
  readonly headers: EventHeaders;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** What an event carries besides its payload. */
export interface EventHeaders {
  readonly correlationId: string;
  readonly causationId?: string;
  /** The command type or the event handler that has raised it. */
  readonly origin?: string;
  /** W3C trace context of what has raised it. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Where in a stream an event stood. Only a hint: the truth is `n`. */
export interface StreamHint {
  /** When the stream was created (ISO 8601); a sequence of another stream means nothing here. */
  readonly created: string;
  readonly sequence: number;
}

export interface SourcedEvent extends StoredEvent {
  readonly hint?: StreamHint;
}
