import { DomainError, type ErrorDefinition } from './errors.js';

/** What cannot be calculated. */
export const moneyErrors = {
  invalidAmount: {
    code: 'money.invalid-amount', kind: 'invalid', title: 'Invalid amount of money',
    cause: 'An amount is not a whole number of minor units (cents), or is larger than can be calculated exactly.',
    cure: 'Send whole minor units, and smaller amounts or quantities.',
  },
  invalidCurrency: {
    code: 'money.invalid-currency', kind: 'invalid', title: 'Invalid currency',
    cause: 'A currency is not a code of ISO 4217.',
    cure: 'Send three capital letters, such as USD.',
  },
  currencyMismatch: {
    code: 'money.currency-mismatch', kind: 'invalid', title: 'Different currencies',
    cause: 'Amounts of two currencies were to be added or compared.',
    cure: 'Use one currency for what is calculated together.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>;

/** Money as JSON carries it: integer minor units (cents) and an ISO 4217 code. */
export interface MoneyJson {
  readonly amount: number;
  readonly currency: string;
}

/** An exact amount of money in integer minor units (cents). No floating point takes part anywhere. */
export class Money implements MoneyJson {
  private constructor(readonly amount: number, readonly currency: string) {}

  /**
   * @param amount integer minor units, within ±(2^53 − 1)
   * @param currency ISO 4217 code, three capital letters
   * @throws DomainError `money.invalid-amount`, `money.invalid-currency`
   */
  static of(amount: number, currency = 'USD'): Money {
    if (!Number.isSafeInteger(amount)) {
      throw new DomainError(moneyErrors.invalidAmount, `An amount is a whole number of minor units within ±${Number.MAX_SAFE_INTEGER}, not ${amount}.`);
    }
    if (!/^[A-Z]{3}$/.test(currency)) {
      throw new DomainError(moneyErrors.invalidCurrency, `A currency is an ISO 4217 code such as USD, not "${currency}".`);
    }
    return new Money(amount, currency);
  }

  static zero(currency = 'USD'): Money {
    return Money.of(0, currency);
  }

  static from(json: MoneyJson): Money {
    return Money.of(json.amount, json.currency);
  }

  /** @throws DomainError `money.currency-mismatch`, or `money.invalid-amount` when the sum leaves the safe range */
  add(other: Money): Money {
    return Money.of(this.amount + this.sameCurrency(other).amount, this.currency);
  }

  subtract(other: Money): Money {
    return Money.of(this.amount - this.sameCurrency(other).amount, this.currency);
  }

  /**
   * The price of `quantity` pieces with a discount, rounded half up to a minor unit:
   * `this × quantity × (100 − discountPercent) / 100` in exact integer arithmetic.
   * @param quantity whole number, 0 or more
   * @param discountPercent whole number, 0 to 100
   */
  times(quantity: number, discountPercent = 0): Money {
    const hundredths = BigInt(this.amount) * BigInt(quantity) * BigInt(100 - discountPercent);
    const rounded = (hundredths + 50n) / 100n - (hundredths + 50n < 0n && (hundredths + 50n) % 100n !== 0n ? 1n : 0n);
    return Money.of(Number(rounded), this.currency);
  }

  isMoreThan(other: Money): boolean {
    return this.amount > this.sameCurrency(other).amount;
  }

  toJSON(): MoneyJson {
    return { amount: this.amount, currency: this.currency };
  }

  private sameCurrency(other: Money): Money {
    if (other.currency !== this.currency) {
      throw new DomainError(moneyErrors.currencyMismatch, `Cannot calculate with ${this.currency} and ${other.currency}.`);
    }
    return other;
  }
}
