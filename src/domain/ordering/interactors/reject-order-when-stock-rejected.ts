import { EventsHandler } from '@nestjs/cqrs';
import { Clock } from '@nestbox/kernel';
import { StockRejected } from '../../inventory/models/reservation.events.js';
import { Orders } from '../repositories/orders.js';

@EventsHandler(StockRejected)
export class RejectOrderWhenStockRejected {
  constructor(private readonly orders: Orders, private readonly clock: Clock) {}

  handle({ orderId }: StockRejected): Promise<void> {
    return this.orders.update(orderId, (order) => order.reject('out-of-stock', this.clock.now()));
  }
}
