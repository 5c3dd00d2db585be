import { Query, QueryHandler } from '@nestjs/cqrs';
import { Described, IsObjectOf } from '../../shared/fields.js';
import { Orders } from '../repositories/orders.js';
import { OrderPosition } from '../schemas/order-filter.js';
import { ListedOrders, OrderView } from '../schemas/order.view.js';

@Described('The orders that a filter lets through, a page at a time.')
export class ListOrders extends Query<ListedOrders> {
  static readonly type = 'ordering.list-orders';
  static readonly permission = 'ordering:read';
  static readonly reply = ListedOrders;

  @IsObjectOf(() => OrderPosition, { description: 'Which orders, and which page of them.' })
  readonly filter: OrderPosition;

  constructor(filter: OrderPosition = {}) {
    super();
    this.filter = filter;
  }
}

@QueryHandler(ListOrders)
export class ListOrdersHandler {
  constructor(private readonly orders: Orders) {}

  async execute({ filter }: ListOrders): Promise<ListedOrders> {
    const { items, next } = await this.orders.page(filter);
    return { items: items.map((order) => OrderView.of(order)), next };
  }
}
