import { DomainEvent, type MoneyJson } from '@nestbox/kernel';

/** A line of an order, as other contexts see it. */
export interface OrderedLine {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice: MoneyJson;
  readonly discountPercent: number;
  readonly total: MoneyJson;
}

export type RejectionReason = 'out-of-stock' | 'payment-declined';

/** A customer has placed an order; stock and payment are still open. */
export class OrderPlaced extends DomainEvent {
  static readonly type = 'ordering.order-placed';
  static readonly schemaVersion = 1;

  constructor(
    readonly orderId: string,
    readonly customerId: string,
    readonly lines: readonly OrderedLine[],
    readonly total: MoneyJson,
    /** ISO 8601, UTC. */
    readonly placedAt: string,
  ) {
    super();
  }
}

/** Stock is reserved and the payment authorised: the order will be delivered. */
export class OrderConfirmed extends DomainEvent {
  static readonly type = 'ordering.order-confirmed';
  static readonly schemaVersion = 1;

  constructor(
    readonly orderId: string,
    readonly customerId: string,
    /** Pieces of all lines together. */
    readonly units: number,
    readonly total: MoneyJson,
  ) {
    super();
  }
}

/** The order will not be delivered. */
export class OrderRejected extends DomainEvent {
  static readonly type = 'ordering.order-rejected';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string, readonly reason: RejectionReason) {
    super();
  }
}

/** The customer does not want the order any more. */
export class OrderCancelled extends DomainEvent {
  static readonly type = 'ordering.order-cancelled';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string, readonly customerId: string) {
    super();
  }
}
