import type { ClientBase } from 'pg';
import type { Aggregate, DomainEvent, MessageContext } from '@nestbox/kernel';
import type { Statement } from './statement.js';

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
   * Statements that store events, one or more, in the order in which they were raised.
   * @throws UsageError for an event that may not be raised here
   */
  insert(events: readonly RecordedEvent[]): readonly Statement[];
  /** True when the event is in the outbox; asked after a commit whose answer was lost. */
  contains(client: ClientBase, eventId: string): Promise<boolean>;
  /** Called after a commit that stored events: publish soon. Must not throw. */
  committed(): void;
}
