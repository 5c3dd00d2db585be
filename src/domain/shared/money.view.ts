import { ApiProperty } from '@nestjs/swagger';
import type { MoneyJson } from '@nestbox/kernel';

/** Money as the API says it. */
export class Money implements MoneyJson {
  @ApiProperty({ type: 'integer', description: 'Minor units (cents).', example: 16_800 })
  readonly amount!: number;

  @ApiProperty({ type: String, description: 'ISO 4217 code.', example: 'USD' })
  readonly currency!: string;
}
