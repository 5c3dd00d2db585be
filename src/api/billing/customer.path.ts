import { IsCustomerId } from '../../domain/billing/schemas/account.fields.js';

export class CustomerPath {
  @IsCustomerId()
  readonly id!: string;
}
