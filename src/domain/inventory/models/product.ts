import { Aggregate } from '@nestbox/kernel';
import { StockBelowZero } from './product.errors.js';

/** A product and its stock: what is on hand, and how much of that is promised to orders. */
export class Product extends Aggregate {
  onHand = 0;
  reserved = 0;

  private constructor(readonly id: string, readonly name: string) {
    super();
  }

  static register(id: string, name: string): Product {
    return new Product(id, name);
  }

  /** What can still be promised. */
  get available(): number {
    return this.onHand - this.reserved;
  }

  receive(quantity: number): void {
    this.onHand += quantity;
  }

  /** Promises pieces to an order. @throws StockBelowZero when fewer are available */
  reserve(quantity: number): void {
    if (quantity > this.available) throw new StockBelowZero(this.id, 'available', this.available - quantity);
    this.reserved += quantity;
  }

  /** Takes a promise back. @throws StockBelowZero when fewer are reserved */
  release(quantity: number): void {
    if (quantity > this.reserved) throw new StockBelowZero(this.id, 'reserved', this.reserved - quantity);
    this.reserved -= quantity;
  }
}
