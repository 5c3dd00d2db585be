import { Command, CommandHandler } from '@nestjs/cqrs';
import { Described, IsVersions } from '../../shared/fields.js';
import { Accounts } from '../repositories/accounts.js';
import { IsCreditLimit, IsCustomerId } from '../schemas/account.fields.js';
import { AccountState } from '../schemas/account.view.js';

@Described('Says how much a customer may owe.')
export class SetCreditLimit extends Command<AccountState> {
  static readonly type = 'billing.set-credit-limit';
  static readonly permission = 'billing:write';
  static readonly reply = AccountState;

  @IsCustomerId()
  readonly customerId: string;

  @IsCreditLimit()
  readonly amount: number | null;

  @IsVersions()
  readonly ifVersion: readonly number[] | undefined;

  constructor(customerId: string, amount: number | null, ifVersion?: readonly number[]) {
    super();
    this.customerId = customerId;
    this.amount = amount;
    this.ifVersion = ifVersion;
  }
}

@CommandHandler(SetCreditLimit)
export class SetCreditLimitHandler {
  constructor(private readonly accounts: Accounts) {}

  async execute({ customerId, amount, ifVersion }: SetCreditLimit): Promise<AccountState> {
    const account = await this.accounts.open(customerId, ifVersion);
    account.limitTo(amount);
    return AccountState.of(account);
  }
}
