import { IsOrderId } from '../../domain/ordering/schemas/order.fields.js';

export class OrderPath {
  @IsOrderId()
  readonly id!: string;
}
