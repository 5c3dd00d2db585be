import { Command, CommandHandler } from '@nestjs/cqrs';
import { Clock } from '@nestbox/kernel';
import { Described } from '../../shared/fields.js';
import { Orders } from '../repositories/orders.js';
import { IsOrderId } from '../schemas/order.fields.js';
import { OrderState } from '../schemas/order.view.js';

@Described('Calls an order off, as long as it is not decided.')
export class CancelOrder extends Command<OrderState> {
  static readonly type = 'ordering.cancel-order';
  static readonly permission = 'ordering:write';
  static readonly reply = OrderState;

  @IsOrderId()
  readonly orderId: string;

  constructor(orderId: string) {
    super();
    this.orderId = orderId;
  }
}

@CommandHandler(CancelOrder)
export class CancelOrderHandler {
  constructor(private readonly orders: Orders, private readonly clock: Clock) {}

  execute({ orderId }: CancelOrder): Promise<OrderState> {
    return this.orders.update(orderId, (order) => {
      order.cancel(this.clock.now());
      return OrderState.of(order);
    });
  }
}
