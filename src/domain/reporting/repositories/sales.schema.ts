import { EntitySchema } from 'typeorm';
import { exactInteger, tenantId } from '../../shared/columns.js';

/** What one customer has bought, in one currency. */
export interface CustomerSales {
  readonly customerId: string;
  readonly currency: string;
  readonly orders: number;
  readonly units: number;
  /** Minor units. */
  readonly revenue: number;
}

/** A row of the table. */
export interface StoredSales extends CustomerSales {
  readonly tenantId: string;
}

export const SalesSchema = new EntitySchema<StoredSales>({
  name: 'Sales',
  schema: 'reporting',
  tableName: 'sales',
  columns: {
    tenantId: tenantId('sales_pkey'),
    customerId: { type: 'text', name: 'customer_id', primary: true, primaryKeyConstraintName: 'sales_pkey' },
    currency: { type: 'text', primary: true, primaryKeyConstraintName: 'sales_pkey' },
    orders: { type: 'bigint', transformer: exactInteger },
    units: { type: 'bigint', transformer: exactInteger },
    revenue: { type: 'bigint', transformer: exactInteger },
  },
});
