import { Command, CommandHandler } from '@nestjs/cqrs';
import { Clock, Money, uuidv7 } from '@nestbox/kernel';
import { Described } from '../../shared/fields.js';
import { Order } from '../models/order.js';
import { Orders } from '../repositories/orders.js';
import { IsCustomerId, IsOrderLines, IsReference, type OrderLineBody } from '../schemas/order.fields.js';
import { OrderState } from '../schemas/order.view.js';

@Described('Takes an order; whether it is confirmed is known later.')
export class PlaceOrder extends Command<OrderState> {
  static readonly type = 'ordering.place-order';
  static readonly permission = 'ordering:write';
  static readonly reply = OrderState;

  @IsCustomerId()
  readonly customerId: string;

  @IsOrderLines()
  readonly lines: readonly OrderLineBody[];

  @IsReference()
  readonly reference: string | undefined;

  constructor(customerId: string, lines: readonly OrderLineBody[], reference?: string) {
    super();
    this.customerId = customerId;
    this.lines = lines;
    this.reference = reference;
  }
}

@CommandHandler(PlaceOrder)
export class PlaceOrderHandler {
  constructor(private readonly orders: Orders, private readonly clock: Clock) {}

  async execute({ customerId, reference, lines }: PlaceOrder): Promise<OrderState> {
    const priced = lines.map((line) => ({ ...line, unitPrice: Money.of(line.unitPrice) }));
    const order = Order.place({ id: uuidv7(), customerId, reference, lines: priced }, this.clock.now());
    this.orders.add(order);
    return OrderState.of(order);
  }
}
