import { IsCustomerId } from '../../domain/reporting/schemas/sales.fields.js';

export class CustomerPath {
  @IsCustomerId()
  readonly id!: string;
}
