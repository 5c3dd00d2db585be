import { BillingModule } from './domain/billing/billing.module.js';
import { InventoryModule } from './domain/inventory/inventory.module.js';
import { OrderingModule } from './domain/ordering/ordering.module.js';
import { ReportingModule } from './domain/reporting/reporting.module.js';

/** Every context of the application, by name. The topology says which of them run in which process. */
export const contexts = {
  ordering: OrderingModule,
  inventory: InventoryModule,
  billing: BillingModule,
  reporting: ReportingModule,
} as const;
