import { Command, CommandHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Accounts } from '../repositories/accounts.js';
import { IsCreditLimit, IsCustomerId } from '../schemas/account.fields.js';
import { AccountView } from '../schemas/account.view.js';

@Described('Says how much a customer may owe.')
export class SetCreditLimit extends Command<AccountView> {
  static readonly type = 'billing.set-credit-limit';
  static readonly permission = 'billing:write';
  static readonly reply = AccountView;

  @IsCustomerId()
  readonly customerId: string;

  @IsCreditLimit()
  readonly amount: number | null;

  constructor(customerId: string, amount: number | null) {
    super();
    this.customerId = customerId;
    this.amount = amount;
  }
}

@CommandHandler(SetCreditLimit)
export class SetCreditLimitHandler {
  constructor(private readonly accounts: Accounts) {}

  async execute({ customerId, amount }: SetCreditLimit): Promise<AccountView> {
    const account = await this.accounts.open(customerId);
    account.limitTo(amount);
    return AccountView.of(account);
  }
}
