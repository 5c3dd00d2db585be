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

  /** The customer's account; a new one, of version 0, when there is none. @throws VersionMismatch when it has none of the versions */
  open(customerId: string, ifVersion?: readonly number[]): Promise<Account> {
    return this.store.findOrAdd(customerId, () => Account.open(customerId), ifVersion);
  }

  /** For queries. */
  async read(customerId: string): Promise<Account | undefined> {
    return (await this.store.select('a').where('a.id = :customerId', { customerId }).getOne()) ?? undefined;
  }
}
