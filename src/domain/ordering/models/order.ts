import { Aggregate, DomainError, Money } from '@nestbox/kernel';
import { OrderNotCancellable, OrderTooLarge, OrderWithoutLines } from './order.errors.js';
import { OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected, type RejectionReason } from './order.events.js';
import { OrderLine } from './order-line.js';

export const ORDER_STATUSES = ['placed', 'confirmed', 'rejected', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export interface StatusChange {
  readonly status: OrderStatus;
  readonly time: Date;
}

/** What a customer asks for. */
export interface OrderRequest {
  readonly id: string;
  readonly customerId: string;
  /** The customer's own name for the order; unique per customer. */
  readonly reference?: string | undefined;
  readonly lines: readonly { readonly productId: string; readonly quantity: number; readonly unitPrice: Money; readonly discountPercent?: number | undefined }[];
}

/**
 * A customer's order. It waits for stock and payment, which other contexts decide about:
 * placed → confirmed | rejected | cancelled, and each of these is final.
 */
export class Order extends Aggregate {
  status: OrderStatus = 'placed';
  reason: RejectionReason | null = null;
  readonly history: StatusChange[] = [];

  private constructor(
    readonly id: string,
    readonly customerId: string,
    readonly reference: string | null,
    readonly lines: readonly OrderLine[],
    readonly totalAmount: number,
    readonly currency: string,
  ) {
    super();
  }

  /** @throws OrderWithoutLines, InvalidOrderLine, OrderTooLarge */
  static place(request: OrderRequest, now: Date): Order {
    const lines = withinBounds(() => request.lines.map((line) => OrderLine.of(line.productId, line.quantity, line.unitPrice, line.discountPercent)));
    const [first, ...others] = lines;
    if (!first) throw new OrderWithoutLines();
    const total = withinBounds(() => others.reduce((sum, line) => sum.add(line.total), first.total));
    const order = new Order(request.id, request.customerId, request.reference ?? null, lines, total.amount, total.currency);
    order.become('placed', now);
    order.raise(new OrderPlaced(order.id, order.customerId, lines.map((line) => line.toJSON()), total.toJSON(), now.toISOString()));
    return order;
  }

  get total(): Money {
    return Money.of(this.totalAmount, this.currency);
  }

  /** Pieces of all lines together. */
  get units(): number {
    return this.lines.reduce((sum, line) => sum + line.quantity, 0);
  }

  /** Stock and payment are secured. An order that was cancelled meanwhile stays cancelled: its cancellation undoes both. */
  confirm(now: Date): void {
    if (this.status !== 'placed') return;
    this.become('confirmed', now);
    this.raise(new OrderConfirmed(this.id, this.customerId, this.units, this.total.toJSON()));
  }

  /** Stock or payment could not be secured. */
  reject(reason: RejectionReason, now: Date): void {
    if (this.status !== 'placed') return;
    this.reason = reason;
    this.become('rejected', now);
    this.raise(new OrderRejected(this.id, reason));
  }

  /**
   * The customer withdraws. To cancel twice is to cancel once.
   * @throws OrderNotCancellable when the order is confirmed or rejected
   */
  cancel(now: Date): void {
    if (this.status === 'cancelled') return;
    if (this.status !== 'placed') throw new OrderNotCancellable(this.id, this.status);
    this.become('cancelled', now);
    this.raise(new OrderCancelled(this.id, this.customerId));
  }

  private become(status: OrderStatus, time: Date): void {
    this.status = status;
    this.history.push({ status, time });
  }
}

/** Calculates, and when the sums leave what can be calculated exactly, says so in terms of the order. */
function withinBounds<T>(calculate: () => T): T {
  try {
    return calculate();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'money.invalid-amount') throw new OrderTooLarge(Number.MAX_SAFE_INTEGER);
    throw error;
  }
}
