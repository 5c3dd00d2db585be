import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IfMatch, Versioned } from '@nestbox/http';
import { GetAccount } from '../../domain/billing/interactors/get-account.js';
import { SetCreditLimit } from '../../domain/billing/interactors/set-credit-limit.js';
import { AccountState, AccountView } from '../../domain/billing/schemas/account.view.js';
import { CreditLimitBody } from '../../domain/billing/schemas/credit-limit.body.js';
import { Sends } from '../sends.js';
import { CustomerPath } from './customer.path.js';

@ApiTags('customers')
@Controller('v1/customers/:id')
export class AccountsController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  @Put('credit-limit')
  @Sends(SetCreditLimit)
  @ApiOperation({ operationId: 'setCreditLimit', summary: "Set or lift a customer's credit limit", description: 'What is charged already stays charged.' })
  @ApiBody({
    type: CreditLimitBody,
    examples: { limit: { summary: 'USD 50,000', value: { amount: 5_000_000 } }, none: { summary: 'No limit', value: { amount: null } } },
  })
  @ApiOkResponse({ description: 'The account with its new limit.', type: AccountState })
  @ApiProblems()
  setCreditLimit(@Param() { id }: CustomerPath, @Body() { amount }: CreditLimitBody, @IfMatch() ifVersion?: readonly number[]): Promise<AccountState> {
    return this.commands.execute(new SetCreditLimit(id, amount, ifVersion));
  }

  @Get('account')
  @Sends(GetAccount)
  @Versioned()
  @ApiOperation({ operationId: 'getAccount', summary: "Read a customer's account", description: 'Every customer has one; who has never ordered has no limit and owes nothing.' })
  @ApiOkResponse({ description: 'The account.', type: AccountView })
  @ApiProblems()
  getAccount(@Param() { id }: CustomerPath): Promise<AccountView> {
    return this.queries.execute(new GetAccount(id));
  }
}
