import { Money } from '@nestbox/kernel';
import { InvalidOrderLine } from './order.errors.js';
import type { OrderedLine } from './order.events.js';

/** One product of an order, at the price it was ordered for. */
export class OrderLine {
  private constructor(
    readonly productId: string,
    readonly quantity: number,
    readonly unitPrice: Money,
    readonly discountPercent: number,
    /** Fixed with the order: it stays what it was, whatever becomes of the way it is calculated. */
    readonly total: Money,
  ) {}

  /** @throws InvalidOrderLine */
  static of(productId: string, quantity: number, unitPrice: Money, discountPercent = 0): OrderLine {
    if (!Number.isSafeInteger(quantity) || quantity < 1) throw new InvalidOrderLine(productId, 'the quantity is a whole number, 1 or more');
    if (unitPrice.amount < 0) throw new InvalidOrderLine(productId, 'the price is not negative');
    if (!Number.isInteger(discountPercent) || discountPercent < 0 || discountPercent > 100) {
      throw new InvalidOrderLine(productId, 'the discount is a whole percentage from 0 to 100');
    }
    return new OrderLine(productId, quantity, unitPrice, discountPercent, unitPrice.times(quantity, discountPercent));
  }

  static from(json: OrderedLine): OrderLine {
    return new OrderLine(json.productId, json.quantity, Money.from(json.unitPrice), json.discountPercent, Money.from(json.total));
  }

  toJSON(): OrderedLine {
    return {
      productId: this.productId,
      quantity: this.quantity,
      unitPrice: this.unitPrice.toJSON(),
      discountPercent: this.discountPercent,
      total: this.total.toJSON(),
    };
  }
}
