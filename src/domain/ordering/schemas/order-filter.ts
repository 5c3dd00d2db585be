import { IsCursor, IsIdentifier, IsLeftOutOr, IsPageLimit } from '../../shared/fields.js';
import type { OrderStatus } from '../models/order.js';
import { IsOrderStatus } from './order.fields.js';

/** Which orders to list, and which page of them. */
export class OrderFilter {
  @IsLeftOutOr(IsIdentifier({ required: false, description: 'Orders of this customer only.', example: 'VINET' }))
  readonly customerId?: string;

  @IsLeftOutOr(IsOrderStatus({ required: false, description: 'Orders in this state only.', example: 'confirmed' }))
  readonly status?: OrderStatus;

  @IsPageLimit()
  readonly limit?: number;

  @IsCursor()
  readonly cursor?: string;
}
