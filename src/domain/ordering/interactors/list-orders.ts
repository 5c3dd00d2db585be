import { Query, QueryHandler } from '@nestjs/cqrs';
import { Type } from 'class-transformer';
import { IsDefined, ValidateNested } from 'class-validator';
import { Orders } from '../repositories/orders.js';
import { OrderFilter } from '../schemas/order-filter.js';
import { type OrderPage, OrderView } from '../schemas/order.view.js';

export class ListOrders extends Query<OrderPage> {
  static readonly type = 'ordering.list-orders';

  @IsDefined()
  @ValidateNested()
  @Type(() => OrderFilter)
  readonly filter: OrderFilter;

  constructor(filter: OrderFilter = {}) {
    super();
    this.filter = filter;
  }
}

@QueryHandler(ListOrders)
export class ListOrdersHandler {
  constructor(private readonly orders: Orders) {}

  async execute({ filter }: ListOrders): Promise<OrderPage> {
    const { items, nextCursor } = await this.orders.page(filter);
    return { items: items.map((order) => OrderView.of(order)), nextCursor };
  }
}
