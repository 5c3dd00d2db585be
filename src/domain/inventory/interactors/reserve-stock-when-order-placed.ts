import { EventsHandler } from '@nestjs/cqrs';
import { OrderPlaced } from '../../ordering/models/order.events.js';
import { Reservation } from '../models/reservation.js';
import { Products } from '../repositories/products.js';
import { Reservations } from '../repositories/reservations.js';

@EventsHandler(OrderPlaced)
export class ReserveStockWhenOrderPlaced {
  constructor(private readonly reservations: Reservations, private readonly products: Products) {}

  async handle(order: OrderPlaced): Promise<void> {
    // There is one already when the order was called off before this event got here.
    if (await this.reservations.ofOrder(order.orderId)) return;
    const products = await this.products.findMany(order.lines.map((line) => line.productId));
    this.reservations.add(Reservation.request(order, products));
  }
}
