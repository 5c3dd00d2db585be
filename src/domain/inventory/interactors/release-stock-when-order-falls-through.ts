import { EventsHandler } from '@nestjs/cqrs';
import { PaymentDeclined } from '../../billing/models/charge.events.js';
import { OrderCancelled } from '../../ordering/models/order.events.js';
import { Reservation } from '../models/reservation.js';
import { Products } from '../repositories/products.js';
import { Reservations } from '../repositories/reservations.js';

@EventsHandler(OrderCancelled, PaymentDeclined)
export class ReleaseStockWhenOrderFallsThrough {
  constructor(private readonly reservations: Reservations, private readonly products: Products) {}

  async handle({ orderId }: OrderCancelled | PaymentDeclined): Promise<void> {
    const reservation = await this.reservations.ofOrder(orderId);
    if (!reservation) return this.reservations.add(Reservation.calledOff(orderId));
    reservation.release(await this.products.findMany(reservation.lines.map((line) => line.productId)));
  }
}
