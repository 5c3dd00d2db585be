import { Command, CommandHandler } from '@nestjs/cqrs';
import { Clock } from '@nestbox/kernel';
import { Described, IsVersions } from '../../shared/fields.js';
import type { Order } from '../models/order.js';
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

  @IsVersions()
  readonly ifVersion: readonly number[] | undefined;

  constructor(orderId: string, ifVersion?: readonly number[]) {
    super();
    this.orderId = orderId;
    this.ifVersion = ifVersion;
  }
}

@CommandHandler(CancelOrder)
export class CancelOrderHandler {
  constructor(private readonly orders: Orders, private readonly clock: Clock) {}

  execute({ orderId, ifVersion }: CancelOrder): Promise<OrderState> {
    const cancel = (order: Order) => {
      order.cancel(this.clock.now());
      return OrderState.of(order);
    };
    return this.orders.update(orderId, cancel, ifVersion);
  }
}
