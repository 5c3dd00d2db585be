import type { MoneyJson } from '@nestbox/kernel';
import { IsAmount, IsCurrency } from './fields.js';

/** Money as the API and events say it. */
export class Money implements MoneyJson {
  @IsAmount({ description: 'Minor units (cents).', example: 16_800 })
  readonly amount!: number;

  @IsCurrency({ description: 'ISO 4217 code.', example: 'USD' })
  readonly currency!: string;
}
