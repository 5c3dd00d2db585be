import { DomainEvent, type MoneyJson } from '@nestbox/kernel';
import { IsCustomerId, IsMoney, IsOrderId, IsProductId } from '../../shared/event.fields.js';
import { Described, IsCount, IsListOf } from '../../shared/fields.js';

/** A product of which an order wants more than there is. */
export class Shortage {
  @IsProductId()
  readonly productId!: string;

  @IsCount(1, { description: 'How many pieces the order wants, all its lines together.', example: 12 })
  readonly wanted!: number;

  @IsCount(0, { description: 'How many pieces could have been promised.', example: 7 })
  readonly available!: number;
}

@Described('All lines of an order are promised to it.')
export class StockReserved extends DomainEvent {
  static readonly type = 'inventory.stock-reserved';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsCustomerId()
  readonly customerId: string;

  @IsMoney('What the order costs, as ordering said it.')
  readonly total: MoneyJson;

  constructor(orderId: string, customerId: string, total: MoneyJson) {
    super();
    this.orderId = orderId;
    this.customerId = customerId;
    this.total = total;
  }
}

@Described('Not all lines of an order are in stock, so none is reserved.')
export class StockRejected extends DomainEvent {
  static readonly type = 'inventory.stock-rejected';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  @IsListOf(() => Shortage, 100)
  readonly shortages: readonly Shortage[];

  constructor(orderId: string, shortages: readonly Shortage[]) {
    super();
    this.orderId = orderId;
    this.shortages = shortages;
  }
}

@Described('What was reserved for an order is available again.')
export class StockReleased extends DomainEvent {
  static readonly type = 'inventory.stock-released';
  static readonly schemaVersion = 1;

  @IsOrderId()
  readonly orderId: string;

  constructor(orderId: string) {
    super();
    this.orderId = orderId;
  }
}
