import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsUUID } from 'class-validator';
import { IsCents, IsIdentifier, IsLeftOutOr, IsListOf, IsQuantity, IsText, IsWholeNumber } from '../../shared/fields.js';
import { ORDER_STATUSES, type OrderStatus } from '../models/order.js';

const MAX_LINES = 100;

export function IsOrderId(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, format: 'uuid', description: 'Id of the order, as it was given when the order was placed.', example: '019acf5e-7c00-7000-8000-000000000000' }),
    // Postgres writes them in lower case; the two spellings are one id.
    Transform(({ value }) => (typeof value === 'string' ? value.toLowerCase() : value)),
    IsUUID('all', { message: '$property must be the id of an order: a UUID' }),
  );
}

export function IsCustomerId(): PropertyDecorator {
  return IsIdentifier({ description: 'Who orders.', example: 'VINET' });
}

export function IsReference(): PropertyDecorator {
  return IsLeftOutOr(
    IsText(100, {
      required: false,
      description: "The customer's own name for the order. A second order of the customer with the same reference is refused, so a request can be repeated safely.",
      example: 'PO-10248',
    }),
  );
}

export function IsOrderStatus(describe: { readonly required?: boolean; readonly description: string; readonly example?: OrderStatus }): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ enum: ORDER_STATUSES, enumName: 'OrderStatus', ...describe }),
    IsIn(ORDER_STATUSES, { message: `$property must be one of ${ORDER_STATUSES.join(', ')}` }),
  );
}

/** One line of an order to be placed. */
export class OrderLineBody {
  @IsIdentifier({ description: 'Which product.', example: 'queso-cabrales' })
  readonly productId!: string;

  @IsQuantity({ description: 'How many pieces.', example: 12 })
  readonly quantity!: number;

  @IsCents({ description: 'Price of one piece in cents.', example: 1_400 })
  readonly unitPrice!: number;

  @IsLeftOutOr(IsWholeNumber(0, 100, { required: false, default: 0, description: 'Discount on the line in whole percent.', example: 5 }))
  readonly discountPercent?: number;
}

export function IsOrderLines(): PropertyDecorator {
  return IsListOf(() => OrderLineBody, MAX_LINES);
}
