import { Query, QueryHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Orders } from '../repositories/orders.js';
import { IsOrderId } from '../schemas/order.fields.js';
import { OrderView } from '../schemas/order.view.js';

@Described('One order and its history.')
export class GetOrder extends Query<OrderView> {
  static readonly type = 'ordering.get-order';
  static readonly permission = 'ordering:read';
  static readonly reply = OrderView;

  @IsOrderId()
  readonly orderId: string;

  constructor(orderId: string) {
    super();
    this.orderId = orderId;
  }
}

@QueryHandler(GetOrder)
export class GetOrderHandler {
  constructor(private readonly orders: Orders) {}

  async execute({ orderId }: GetOrder): Promise<OrderView> {
    return OrderView.of(await this.orders.read(orderId));
  }
}
