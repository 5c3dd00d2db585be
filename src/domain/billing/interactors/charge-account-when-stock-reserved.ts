import { EventsHandler } from '@nestjs/cqrs';
import { Money } from '@nestbox/kernel';
import { StockReserved } from '../../inventory/models/reservation.events.js';
import { Charge } from '../models/charge.js';
import { Accounts } from '../repositories/accounts.js';
import { Charges } from '../repositories/charges.js';

@EventsHandler(StockReserved)
export class ChargeAccountWhenStockReserved {
  constructor(private readonly charges: Charges, private readonly accounts: Accounts) {}

  async handle({ orderId, customerId, total }: StockReserved): Promise<void> {
    const [charge, account] = await Promise.all([this.charges.ofOrder(orderId), this.accounts.ofCustomer(customerId)]);
    // There is one already when the order was called off before this event got here.
    if (charge) return;
    this.charges.add(Charge.request(orderId, Money.from(total), account ?? (await this.accounts.open(customerId))));
  }
}
