import { EntitySchema } from 'typeorm';
import { exactInteger, tenantId } from '../../shared/columns.js';
import { Account } from '../models/account.js';

export const AccountSchema = new EntitySchema<Account>({
  name: 'Account',
  target: Account,
  schema: 'billing',
  tableName: 'accounts',
  columns: {
    tenantId: tenantId('accounts_pkey'),
    id: { type: 'text', name: 'customer_id', primary: true, primaryKeyConstraintName: 'accounts_pkey' },
    limitAmount: { type: 'bigint', name: 'credit_limit', nullable: true, transformer: exactInteger },
    chargedAmount: { type: 'bigint', name: 'charged', transformer: exactInteger },
    currency: { type: 'text' },
    version: { type: 'int' },
  },
});
