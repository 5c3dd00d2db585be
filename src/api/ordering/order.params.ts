import { OrderFilter } from '../../domain/ordering/schemas/order-filter.js';
import { IsOrderId } from '../../domain/ordering/schemas/order.fields.js';
import { IsCursor } from '../../domain/shared/fields.js';

export class OrderPath {
  @IsOrderId()
  readonly id!: string;
}

/** Which orders to list, and which page of them. */
export class OrderQuery extends OrderFilter {
  @IsCursor()
  readonly cursor?: string;
}
