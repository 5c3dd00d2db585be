import { ApiProperty } from '@nestjs/swagger';
import { Money as Amount } from '@nestbox/kernel';
import { Money } from '../../shared/money.view.js';
import type { CustomerSales } from '../repositories/sales.schema.js';
import type { SalesTotal } from '../repositories/sales.js';

/** What was sold: confirmed orders only. */
export class SalesView {
  @ApiProperty({ type: 'integer', description: 'Confirmed orders.', example: 1 })
  readonly orders!: number;

  @ApiProperty({ type: 'integer', description: 'Pieces in them.', example: 12 })
  readonly units!: number;

  @ApiProperty({ type: () => Money })
  readonly revenue!: Money;

  static of({ orders, units, revenue, currency }: SalesTotal): SalesView {
    return { orders, units, revenue: Amount.of(revenue, currency).toJSON() };
  }
}

export class CustomerSalesView extends SalesView {
  @ApiProperty({ type: String, example: 'VINET' })
  readonly customerId!: string;

  static override of(sales: CustomerSales): CustomerSalesView {
    return { customerId: sales.customerId, ...SalesView.of(sales) };
  }
}
