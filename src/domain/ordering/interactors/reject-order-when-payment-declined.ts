import { EventsHandler } from '@nestjs/cqrs';
import { Clock } from '@nestbox/kernel';
import { PaymentDeclined } from '../../billing/models/charge.events.js';
import { Orders } from '../repositories/orders.js';

@EventsHandler(PaymentDeclined)
export class RejectOrderWhenPaymentDeclined {
  constructor(private readonly orders: Orders, private readonly clock: Clock) {}

  handle({ orderId }: PaymentDeclined): Promise<void> {
    return this.orders.update(orderId, (order) => order.reject('payment-declined', this.clock.now()));
  }
}
