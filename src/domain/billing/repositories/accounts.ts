import { Injectable } from '@nestjs/common';
import { AggregateStore, type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import { Account } from '../models/account.js';
import { AccountSchema } from './account.schema.js';

@Injectable()
export class Accounts {
  private readonly store: AggregateStore<Account>;

  constructor(@InjectDatabase('billing') db: ContextDatabase) {
    this.store = new AggregateStore(db, AccountSchema, { type: 'billing.account' });
  }

  ofCustomer(customerId: string): Promise<Account | undefined> {
    return this.store.find(customerId);
  }

  /** The customer's account; a new one when there is none. */
  open(customerId: string): Promise<Account> {
    return this.store.findOrAdd(customerId, () => Account.open(customerId));
  }

  /** For queries. */
  async read(customerId: string): Promise<Account | undefined> {
    return (await this.store.select('a').where('a.id = :customerId', { customerId }).getOne()) ?? undefined;
  }
}
