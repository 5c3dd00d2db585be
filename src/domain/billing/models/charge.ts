import { Aggregate, Money } from '@nestbox/kernel';
import type { Account } from './account.js';
import { PaymentAuthorised, PaymentDeclined, PaymentVoided } from './charge.events.js';

export type ChargeStatus = 'authorised' | 'declined' | 'voided';

/** What one order costs its customer; it has the order's id. */
export class Charge extends Aggregate {
  private constructor(
    readonly id: string,
    readonly customerId: string,
    public status: ChargeStatus,
    readonly amount: number,
    readonly currency: string,
  ) {
    super();
  }

  /** Charges an order's total to the account, if the account covers it. */
  static request(orderId: string, total: Money, account: Account): Charge {
    const covered = account.covers(total);
    const charge = new Charge(orderId, account.id, covered ? 'authorised' : 'declined', total.amount, total.currency);
    if (covered) {
      account.charge(total);
      charge.raise(new PaymentAuthorised(orderId, account.id, total.toJSON()));
    } else {
      charge.raise(new PaymentDeclined(orderId, account.id, 'credit-limit'));
    }
    return charge;
  }

  /** Stands for an order that was called off before it was to be charged, so that it never will be. */
  static calledOff(orderId: string, customerId: string, currency = 'USD'): Charge {
    return new Charge(orderId, customerId, 'voided', 0, currency);
  }

  /** Takes back what was charged; there may be nothing to take back. */
  void(account: Account): void {
    if (this.status !== 'authorised') return;
    const total = Money.of(this.amount, this.currency);
    account.credit(total);
    this.status = 'voided';
    this.raise(new PaymentVoided(this.id, this.customerId, total.toJSON()));
  }
}
