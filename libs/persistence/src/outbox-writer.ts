import type { ClientBase } from 'pg';
import type { Aggregate, DomainEvent, MessageContext } from '@nestbox/kernel';

/** An event as a unit of work has recorded it. */
export interface RecordedEvent {
  /** UUID v7 */
  readonly id: string;
  readonly event: DomainEvent;
  readonly aggregate: Aggregate;
  /** `<context>.<aggregate>` */
  readonly aggregateType: string;
  readonly aggregateVersion: number;
  /** The message that was being handled when the event was raised. */
  readonly cause: MessageContext | undefined;
}

/** Stores the events of a unit of work in the transaction that stores the aggregates. The messaging library implements it. */
export interface OutboxWriter {
  /**
   * An `insert … select` that stores any number of events, its parameters counted from `offset + 1`.
   * @param condition SQL that must hold for the rows to be stored
   */
  sql(offset: number, condition?: string): string;
  /** @throws UsageError for an event that may not be raised here */
  values(events: readonly RecordedEvent[]): unknown[];
  /** True when the event is in the outbox; asked after a commit whose answer was lost. */
  contains(client: ClientBase, eventId: string): Promise<boolean>;
  /** Called after a commit that stored events: publish soon. Must not throw. */
  committed(): void;
}
