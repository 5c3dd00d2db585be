import { DomainEvent, type MoneyJson } from '@nestbox/kernel';
import { IsCustomerId, IsMoney, IsOrderId } from '../../shared/event.fields.js';
import { Described, IsOneOf } from '../../shared/fields.js';

export const DECLINE_REASONS = ['credit-limit'] as const;
export type DeclineReason = (typeof DECLINE_REASONS)[number];

@Described("The order's total is charged to the customer's account.")
export class PaymentAuthorised extends DomainEvent {
  static readonly type = 'billing.payment-authorised';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  @IsMoney('What is charged.')
  readonly total: MoneyJson;

  constructor(orderId: string, customerId: string, total: MoneyJson) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
    this.total = total;
  }
}

@Described("The order's total would have passed the customer's credit limit; nothing is charged.")
export class PaymentDeclined extends DomainEvent {
  static readonly type = 'billing.payment-declined';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  @IsOneOf(DECLINE_REASONS, { description: 'Why nothing is charged.' })
  readonly reason: DeclineReason;

  constructor(orderId: string, customerId: string, reason: DeclineReason) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
    this.reason = reason;
  }
}

@Described('What had been charged for an order is not owed any more.')
export class PaymentVoided extends DomainEvent {
  static readonly type = 'billing.payment-voided';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  @IsMoney('What had been charged.')
  readonly total: MoneyJson;

  constructor(orderId: string, customerId: string, total: MoneyJson) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
    this.total = total;
  }
}
