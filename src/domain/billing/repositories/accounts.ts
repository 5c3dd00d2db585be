import { Injectable } from '@nestjs/common';
import { AggregateStore, type ContextDatabase, InjectDatabase, UnitOfWork } from '@nestbox/persistence';
import { DomainError } from '@nestbox/kernel';
import { Account } from '../models/account.js';
import { AccountSchema } from './account.schema.js';

@Injectable()
export class Accounts {
  private readonly store: AggregateStore<Account>;
  /** Accounts opened in each unit of work, by customer. */
  private readonly opened = new WeakMap<UnitOfWork, Map<string, Account>>();

  constructor(@InjectDatabase('billing') private readonly db: ContextDatabase) {
    this.store = new AggregateStore(db, AccountSchema, {
      type: 'billing.account',
      notFound: (id) => new DomainError('not-found', 'billing.account-not-found', `The customer "${id}" has no account yet.`, { customerId: id }),
    });
  }

  ofCustomer(customerId: string): Promise<Account | undefined> {
    return this.store.find(customerId);
  }

  /**
   * Opens the account of a customer who had none when it was looked for. Events of one batch are handled at the same
   * time, so two orders of a new customer may both have found none: they get the same account.
   */
  open(customerId: string): Account {
    const unit = UnitOfWork.current()!;
    const opened = this.opened.get(unit) ?? new Map<string, Account>();
    this.opened.set(unit, opened);
    let account = opened.get(customerId);
    if (!account) {
      account = Account.open(customerId);
      this.store.add(account);
      opened.set(customerId, account);
    }
    return account;
  }

  /** For queries. */
  async read(customerId: string): Promise<Account | undefined> {
    return (await this.db.manager.findOneBy(AccountSchema, { id: customerId })) ?? undefined;
  }
}
