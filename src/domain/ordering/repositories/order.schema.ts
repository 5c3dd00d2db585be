import { EntitySchema, type ValueTransformer } from 'typeorm';
import { exactInteger, tenantId } from '../../shared/columns.js';
import { Order, type StatusChange } from '../models/order.js';
import type { OrderedLine } from '../models/order.events.js';
import { OrderLine } from '../models/order-line.js';

const lines: ValueTransformer = {
  to: (values: readonly OrderLine[]) => values,
  from: (stored: readonly OrderedLine[]) => stored.map((line) => OrderLine.from(line)),
};

const history: ValueTransformer = {
  to: (values: readonly StatusChange[]) => values,
  from: (stored: readonly { status: StatusChange['status']; time: string }[]) => stored.map(({ status, time }) => ({ status, time: new Date(time) })),
};

/** How an order is stored: whole, in one row. */
export const OrderSchema = new EntitySchema<Order>({
  name: 'Order',
  target: Order,
  schema: 'ordering',
  tableName: 'orders',
  columns: {
    tenantId: tenantId('orders_pkey'),
    id: { type: 'uuid', primary: true, primaryKeyConstraintName: 'orders_pkey' },
    customerId: { type: 'text', name: 'customer_id' },
    reference: { type: 'text', nullable: true },
    status: { type: 'text' },
    reason: { type: 'text', nullable: true },
    lines: { type: 'jsonb', transformer: lines },
    totalAmount: { type: 'bigint', name: 'total_amount', transformer: exactInteger },
    currency: { type: 'text' },
    history: { type: 'jsonb', transformer: history },
    version: { type: 'int' },
  },
});
