import { Injectable } from '@nestjs/common';
import { AggregateStore, type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import type { Charge } from '../models/charge.js';
import { ChargeSchema } from './charge.schema.js';

@Injectable()
export class Charges {
  private readonly store: AggregateStore<Charge>;

  constructor(@InjectDatabase('billing') db: ContextDatabase) {
    this.store = new AggregateStore(db, ChargeSchema, { type: 'billing.charge' });
  }

  add(charge: Charge): void {
    this.store.add(charge);
  }

  ofOrder(orderId: string): Promise<Charge | undefined> {
    return this.store.find(orderId);
  }
}
