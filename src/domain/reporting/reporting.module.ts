import { ContextModule } from '@nestbox/messaging';
import { GetCustomerSalesHandler } from './interactors/get-customer-sales.js';
import { GetSalesReportHandler } from './interactors/get-sales-report.js';
import { RecordSaleWhenOrderConfirmed } from './interactors/record-sale-when-order-confirmed.js';
import { CreateSales } from './migrations/create-sales.js';
import { GiveSalesToTenants } from './migrations/give-sales-to-tenants.js';
import { Sales } from './repositories/sales.js';
import { SalesSchema } from './repositories/sales.schema.js';

/** Reports on what the other contexts have said: projections of their events, and queries on these. */
@ContextModule({
  name: 'reporting',
  entities: [SalesSchema],
  migrations: [CreateSales, GiveSalesToTenants],
  repositories: [Sales],
  queries: [GetSalesReportHandler, GetCustomerSalesHandler],
  projections: [{ name: 'sales-report', tables: ['sales'], subscribers: [RecordSaleWhenOrderConfirmed] }],
})
export class ReportingModule {}
