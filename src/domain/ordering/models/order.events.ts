import { DomainEvent, type MoneyJson } from '@nestbox/kernel';
import { IsCustomerId, IsMoney, IsOrderId, IsProductId } from '../../shared/event.fields.js';
import { Described, IsCount, IsListOf, IsOneOf, IsQuantity, IsTime, IsWholeNumber } from '../../shared/fields.js';

/** A line of an order, as other contexts see it. */
export class OrderedLine {
  @IsProductId()
  readonly productId!: string;

  @IsQuantity({ description: 'How many pieces.', example: 12 })
  readonly quantity!: number;

  @IsMoney('Price of one piece.')
  readonly unitPrice!: MoneyJson;

  @IsWholeNumber(0, 100, { description: 'Discount on the line in whole percent.', example: 0 })
  readonly discountPercent!: number;

  @IsMoney('What the line costs.')
  readonly total!: MoneyJson;
}

export const REJECTION_REASONS = ['out-of-stock', 'payment-declined'] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

@Described('A customer has placed an order; stock and payment are still open.')
export class OrderPlaced extends DomainEvent {
  static readonly type = 'ordering.order-placed';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  @IsListOf(() => OrderedLine, 100)
  readonly lines: readonly OrderedLine[];

  @IsMoney('What all lines cost.')
  readonly total: MoneyJson;

  @IsTime({ description: 'When it was placed: ISO 8601, UTC.' })
  readonly placedAt: string;

  constructor(orderId: string, customerId: string, lines: readonly OrderedLine[], total: MoneyJson, placedAt: string) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
    this.lines = lines;
    this.total = total;
    this.placedAt = placedAt;
  }
}

@Described('Stock is reserved and the payment authorised: the order will be delivered.')
export class OrderConfirmed extends DomainEvent {
  static readonly type = 'ordering.order-confirmed';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  @IsCount(1, { description: 'Pieces of all lines together.', example: 12 })
  readonly units: number;

  @IsMoney('What all lines cost.')
  readonly total: MoneyJson;

  constructor(orderId: string, customerId: string, units: number, total: MoneyJson) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
    this.units = units;
    this.total = total;
  }
}

@Described('The order will not be delivered.')
export class OrderRejected extends DomainEvent {
  static readonly type = 'ordering.order-rejected';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsOneOf(REJECTION_REASONS, { description: 'Why not.' })
  readonly reason: RejectionReason;

  constructor(orderId: string, reason: RejectionReason) {
    super();
    this.orderId = orderId;
    this.reason = reason;
  }
}

@Described('The customer does not want the order any more.')
export class OrderCancelled extends DomainEvent {
  static readonly type = 'ordering.order-cancelled';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  constructor(orderId: string, customerId: string) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
  }
}
