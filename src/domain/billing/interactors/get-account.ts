import { Query, QueryHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Account } from '../models/account.js';
import { Accounts } from '../repositories/accounts.js';
import { IsCustomerId } from '../schemas/account.fields.js';
import { AccountView } from '../schemas/account.view.js';

@Described('Every customer has an account: who has never ordered has one without a limit, with nothing charged.')
export class GetAccount extends Query<AccountView> {
  static readonly type = 'billing.get-account';
  static readonly permission = 'billing:read';
  static readonly reply = AccountView;

  @IsCustomerId()
  readonly customerId: string;

  constructor(customerId: string) {
    super();
    this.customerId = customerId;
  }
}

@QueryHandler(GetAccount)
export class GetAccountHandler {
  constructor(private readonly accounts: Accounts) {}

  async execute({ customerId }: GetAccount): Promise<AccountView> {
    return AccountView.of((await this.accounts.read(customerId)) ?? Account.open(customerId));
  }
}
