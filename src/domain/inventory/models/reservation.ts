import { Aggregate, type MoneyJson } from '@nestbox/kernel';
import type { Product } from './product.js';
import { type Shortage, StockRejected, StockReleased, StockReserved } from './reservation.events.js';

export type ReservationStatus = 'held' | 'rejected' | 'released';

/** A product and how many pieces of it. */
export interface Quantity {
  readonly productId: string;
  readonly quantity: number;
}

/** What an order wants to have reserved. */
export interface ReservationRequest {
  readonly orderId: string;
  readonly customerId: string;
  readonly total: MoneyJson;
  /** A product may be on several lines. */
  readonly lines: readonly Quantity[];
}

/** The stock held for one order; it has the order's id. */
export class Reservation extends Aggregate {
  private constructor(readonly id: string, public status: ReservationStatus, readonly lines: readonly Quantity[]) {
    super();
  }

  /** Reserves all lines, or none when one of them is short. A product that is not among `products` is short. */
  static request(request: ReservationRequest, products: ReadonlyMap<string, Product>): Reservation {
    const wanted = sumByProduct(request.lines);
    const shortages = shortagesOf(wanted, products);
    if (shortages.length > 0) {
      const rejected = new Reservation(request.orderId, 'rejected', []);
      rejected.raise(new StockRejected(rejected.id, shortages));
      return rejected;
    }
    for (const { productId, quantity } of wanted) products.get(productId)!.reserve(quantity);
    const held = new Reservation(request.orderId, 'held', wanted);
    held.raise(new StockReserved(held.id, request.customerId, request.total));
    return held;
  }

  /** Stands for an order that was called off before anything was reserved, so that nothing will be. */
  static calledOff(orderId: string): Reservation {
    return new Reservation(orderId, 'released', []);
  }

  /** Gives back what is held; there may be nothing to give back. */
  release(products: ReadonlyMap<string, Product>): void {
    if (this.status !== 'held') return;
    for (const { productId, quantity } of this.lines) products.get(productId)!.release(quantity);
    this.status = 'released';
    this.raise(new StockReleased(this.id));
  }
}

function sumByProduct(lines: readonly Quantity[]): Quantity[] {
  const sums = new Map<string, number>();
  for (const { productId, quantity } of lines) sums.set(productId, (sums.get(productId) ?? 0) + quantity);
  return [...sums].map(([productId, quantity]) => ({ productId, quantity }));
}

function shortagesOf(wanted: readonly Quantity[], products: ReadonlyMap<string, Product>): Shortage[] {
  return wanted
    .map(({ productId, quantity }) => ({ productId, wanted: quantity, available: products.get(productId)?.available ?? 0 }))
    .filter((line) => line.available < line.wanted);
}
