import { ApiProperty } from '@nestjs/swagger';
import { IsVersion } from '../../shared/fields.js';
import { Money } from '../../shared/money.view.js';
import type { Account } from '../models/account.js';

/** What a customer may owe, and does. */
export class AccountState {
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

  static of({ id, creditLimit, charged, available }: Account): AccountState {
    return { customerId: id, creditLimit: creditLimit?.toJSON() ?? null, charged: charged.toJSON(), available: available?.toJSON() ?? null };
  }
}

/** An account as it is stored; version 0 when it is not, because nothing has happened yet. */
export class AccountView extends AccountState {
  @IsVersion()
  readonly version!: number;

  static override of(account: Account): AccountView {
    return { ...AccountState.of(account), version: account.version };
  }
}
