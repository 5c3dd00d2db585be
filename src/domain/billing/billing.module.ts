import { ContextModule } from '@nestbox/messaging';
import { ChargeAccountWhenStockReserved } from './interactors/charge-account-when-stock-reserved.js';
import { GetAccountHandler } from './interactors/get-account.js';
import { SetCreditLimitHandler } from './interactors/set-credit-limit.js';
import { VoidChargeWhenOrderCancelled } from './interactors/void-charge-when-order-cancelled.js';
import { CreateAccounts } from './migrations/create-accounts.js';
import { GiveAccountsToTenants } from './migrations/give-accounts-to-tenants.js';
import { PaymentAuthorised, PaymentDeclined, PaymentVoided } from './models/charge.events.js';
import { AccountSchema } from './repositories/account.schema.js';
import { Accounts } from './repositories/accounts.js';
import { ChargeSchema } from './repositories/charge.schema.js';
import { Charges } from './repositories/charges.js';

/** Knows what customers may owe, and charges their orders to them. */
@ContextModule({
  name: 'billing',
  entities: [ChargeSchema, AccountSchema],
  migrations: [CreateAccounts, GiveAccountsToTenants],
  repositories: [Charges, Accounts],
  commands: [SetCreditLimitHandler],
  queries: [GetAccountHandler],
  publishes: [PaymentAuthorised, PaymentDeclined, PaymentVoided],
  subscribers: [ChargeAccountWhenStockReserved, VoidChargeWhenOrderCancelled],
})
export class BillingModule {}
