import { EventsHandler } from '@nestjs/cqrs';
import { OrderConfirmed } from '../../ordering/models/order.events.js';
import { Sales } from '../repositories/sales.js';

@EventsHandler(OrderConfirmed)
export class RecordSaleWhenOrderConfirmed {
  constructor(private readonly sales: Sales) {}

  async handle({ customerId, units, total }: OrderConfirmed): Promise<void> {
    this.sales.add({ customerId, currency: total.currency, orders: 1, units, revenue: total.amount });
  }
}
