import { EntitySchema } from 'typeorm';
import { exactInteger, tenantId } from '../../shared/columns.js';
import { Charge } from '../models/charge.js';

export const ChargeSchema = new EntitySchema<Charge>({
  name: 'Charge',
  target: Charge,
  schema: 'billing',
  tableName: 'charges',
  columns: {
    tenantId: tenantId('charges_pkey'),
    id: { type: 'uuid', name: 'order_id', primary: true, primaryKeyConstraintName: 'charges_pkey' },
    customerId: { type: 'text', name: 'customer_id' },
    status: { type: 'text' },
    amount: { type: 'bigint', transformer: exactInteger },
    currency: { type: 'text' },
    version: { type: 'int' },
  },
});
