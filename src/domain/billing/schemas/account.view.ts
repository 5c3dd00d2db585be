import { ApiProperty } from '@nestjs/swagger';
import { Money } from '../../shared/money.view.js';
import type { Account } from '../models/account.js';

export class AccountView {
  @ApiProperty({ type: String, example: 'VINET' })
  readonly customerId!: string;

  @ApiProperty({ type: () => Money, nullable: true, description: 'null: no limit.' })
  readonly creditLimit!: Money | null;

  @ApiProperty({ type: () => Money })
  readonly charged!: Money;

  @ApiProperty({
    type: () => Money,
    nullable: true,
    description: 'What can still be charged, negative when the limit was lowered below what is charged; null: no limit.',
  })
  readonly available!: Money | null;

  static of({ id, creditLimit, charged, available }: Account): AccountView {
    return { customerId: id, creditLimit: creditLimit?.toJSON() ?? null, charged: charged.toJSON(), available: available?.toJSON() ?? null };
  }
}
