import { EventsHandler } from '@nestjs/cqrs';
import { Clock } from '@nestbox/kernel';
import { PaymentAuthorised } from '../../billing/models/charge.events.js';
import { Orders } from '../repositories/orders.js';

@EventsHandler(PaymentAuthorised)
export class ConfirmOrderWhenPaymentAuthorised {
  constructor(private readonly orders: Orders, private readonly clock: Clock) {}

  handle({ orderId }: PaymentAuthorised): Promise<void> {
    return this.orders.update(orderId, (order) => order.confirm(this.clock.now()));
  }
}
