import { DomainEvent, type MoneyJson } from '@nestbox/kernel';

export type DeclineReason = 'credit-limit';

/** The order's total is charged to the customer's account. */
export class PaymentAuthorised extends DomainEvent {
  static readonly type = 'billing.payment-authorised';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string, readonly customerId: string, readonly total: MoneyJson) {
    super();
  }
}

/** The order's total would have passed the customer's credit limit; nothing is charged. */
export class PaymentDeclined extends DomainEvent {
  static readonly type = 'billing.payment-declined';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string, readonly customerId: string, readonly reason: DeclineReason) {
    super();
  }
}

/** What had been charged for an order is not owed any more. */
export class PaymentVoided extends DomainEvent {
  static readonly type = 'billing.payment-voided';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string, readonly customerId: string, readonly total: MoneyJson) {
    super();
  }
}
