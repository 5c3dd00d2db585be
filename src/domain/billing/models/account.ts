import { Aggregate, Money } from '@nestbox/kernel';

/** What a customer may owe, and does. */
export class Account extends Aggregate {
  chargedAmount = 0;
  /** null: no limit. */
  limitAmount: number | null = null;

  private constructor(readonly id: string, readonly currency: string) {
    super();
  }

  /** An account as every customer has it before anything has happened: without a limit, nothing charged. */
  static open(customerId: string, currency = 'USD'): Account {
    return new Account(customerId, currency);
  }

  get charged(): Money {
    return Money.of(this.chargedAmount, this.currency);
  }

  get creditLimit(): Money | null {
    return this.limitAmount === null ? null : Money.of(this.limitAmount, this.currency);
  }

  /** What can still be charged, negative when the limit was lowered below what is charged already; null: anything. */
  get available(): Money | null {
    return this.creditLimit?.subtract(this.charged) ?? null;
  }

  /** Sets the limit, in the account's currency; null lifts it. What is charged already stays charged, also above it. */
  limitTo(amount: number | null): void {
    this.limitAmount = amount === null ? null : Money.of(amount, this.currency).amount;
  }

  /** True when `amount` stays within the limit, or without one, within what can be counted exactly. */
  covers(amount: Money): boolean {
    const largest = Money.of(Number.MAX_SAFE_INTEGER, this.currency).subtract(this.charged);
    return !amount.isMoreThan(this.available ?? largest);
  }

  charge(amount: Money): void {
    this.chargedAmount = this.charged.add(amount).amount;
  }

  credit(amount: Money): void {
    this.chargedAmount = this.charged.subtract(amount).amount;
  }
}
