import { Query, QueryHandler } from '@nestjs/cqrs';
import { Described, IsObjectOf } from '../../shared/fields.js';
import { Orders } from '../repositories/orders.js';
import { OrderFilter } from '../schemas/order-filter.js';
import { OrderPage, OrderView } from '../schemas/order.view.js';

@Described('The orders that a filter lets through, a page at a time.')
export class ListOrders extends Query<OrderPage> {
  static readonly type = 'ordering.list-orders';
  static readonly permission = 'ordering:read';
  static readonly reply = OrderPage;

  @IsObjectOf(() => OrderFilter, { description: 'Which orders, and which page of them.' })
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
