import { ApiProperty } from '@nestjs/swagger';
import { IsVersion } from '../../shared/fields.js';
import { Money } from '../../shared/money.view.js';
import { type Order, ORDER_STATUSES, type OrderStatus } from '../models/order.js';
import { REJECTION_REASONS, type RejectionReason } from '../models/order.events.js';

/** An order's id and where it stands. */
export class OrderState {
  @ApiProperty({ type: String, format: 'uuid' })
  readonly id!: string;

  @ApiProperty({ enum: ORDER_STATUSES, enumName: 'OrderStatus' })
  readonly status!: OrderStatus;

  static of({ id, status }: Order): OrderState {
    return { id, status };
  }
}

export class OrderLineView {
  @ApiProperty({ type: String, example: 'queso-cabrales' })
  readonly productId!: string;

  @ApiProperty({ type: 'integer', example: 12 })
  readonly quantity!: number;

  @ApiProperty({ type: 'integer', description: 'Price of one piece in cents.', example: 1_400 })
  readonly unitPrice!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  readonly discountPercent!: number;

  @ApiProperty({ type: () => Money })
  readonly total!: Money;
}

export class StatusChangeView {
  @ApiProperty({ enum: ORDER_STATUSES, enumName: 'OrderStatus' })
  readonly status!: OrderStatus;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly time!: string;
}

export class OrderView extends OrderState {
  @ApiProperty({ type: String, example: 'VINET' })
  readonly customerId!: string;

  @ApiProperty({ type: String, nullable: true, example: 'PO-10248' })
  readonly reference!: string | null;

  @ApiProperty({ type: String, required: false, enum: REJECTION_REASONS, description: 'Why it was rejected; only then.' })
  readonly reason?: RejectionReason;

  @ApiProperty({ type: () => OrderLineView, isArray: true })
  readonly lines!: OrderLineView[];

  @ApiProperty({ type: () => Money })
  readonly total!: Money;

  @IsVersion()
  readonly version!: number;

  @ApiProperty({ type: () => StatusChangeView, isArray: true, description: 'Oldest first.' })
  readonly history!: StatusChangeView[];

  static override of(order: Order): OrderView {
    return {
      id: order.id,
      customerId: order.customerId,
      reference: order.reference,
      status: order.status,
      ...(order.reason !== null && { reason: order.reason }),
      lines: order.lines.map((line) => ({ ...line.toJSON(), unitPrice: line.unitPrice.amount })),
      total: order.total.toJSON(),
      version: order.version,
      history: order.history.map(({ status, time }) => ({ status, time: time.toISOString() })),
    };
  }
}

export class ListedOrders {
  @ApiProperty({ type: () => OrderView, isArray: true })
  readonly items!: OrderView[];

  @ApiProperty({ type: String, nullable: true, description: 'Id of the last order, after which the next page begins; null on the last page.' })
  readonly next!: string | null;
}
