import { EventsHandler } from '@nestjs/cqrs';
import { OrderCancelled } from '../../ordering/models/order.events.js';
import { Charge } from '../models/charge.js';
import { Accounts } from '../repositories/accounts.js';
import { Charges } from '../repositories/charges.js';

@EventsHandler(OrderCancelled)
export class VoidChargeWhenOrderCancelled {
  constructor(private readonly charges: Charges, private readonly accounts: Accounts) {}

  async handle({ orderId, customerId }: OrderCancelled): Promise<void> {
    const [charge, account] = await Promise.all([this.charges.ofOrder(orderId), this.accounts.ofCustomer(customerId)]);
    if (!charge) return this.charges.add(Charge.calledOff(orderId, customerId));
    // Whoever was charged has an account.
    if (account) charge.void(account);
  }
}
