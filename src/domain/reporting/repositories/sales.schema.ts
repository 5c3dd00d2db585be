import { EntitySchema } from 'typeorm';
import { exactInteger } from '../../shared/columns.js';

/** What one customer has bought, in one currency. */
export interface CustomerSales {
  readonly customerId: string;
  readonly currency: string;
  readonly orders: number;
  readonly units: number;
  /** Minor units. */
  readonly revenue: number;
}

export const SalesSchema = new EntitySchema<CustomerSales>({
  name: 'Sales',
  schema: 'reporting',
  tableName: 'sales',
  columns: {
    customerId: { type: 'text', name: 'customer_id', primary: true, primaryKeyConstraintName: 'sales_pkey' },
    currency: { type: 'text', primary: true, primaryKeyConstraintName: 'sales_pkey' },
    orders: { type: 'bigint', transformer: exactInteger },
    units: { type: 'bigint', transformer: exactInteger },
    revenue: { type: 'bigint', transformer: exactInteger },
  },
});
