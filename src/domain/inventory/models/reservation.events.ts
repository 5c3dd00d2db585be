import { DomainEvent, type MoneyJson } from '@nestbox/kernel';

/** A product of which an order wants more than there is. */
export interface Shortage {
  readonly productId: string;
  readonly wanted: number;
  readonly available: number;
}

/** All lines of an order are promised to it. */
export class StockReserved extends DomainEvent {
  static readonly type = 'inventory.stock-reserved';
  static readonly schemaVersion = 1;

  constructor(
    readonly orderId: string,
    readonly customerId: string,
    /** What the order costs, as ordering said it. */
    readonly total: MoneyJson,
  ) {
    super();
  }
}

/** Not all lines of an order are in stock, so none is reserved. */
export class StockRejected extends DomainEvent {
  static readonly type = 'inventory.stock-rejected';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string, readonly shortages: readonly Shortage[]) {
    super();
  }
}

/** What was reserved for an order is available again. */
export class StockReleased extends DomainEvent {
  static readonly type = 'inventory.stock-released';
  static readonly schemaVersion = 1;

  constructor(readonly orderId: string) {
    super();
  }
}
