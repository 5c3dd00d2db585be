import { IsCustomerId, IsOrderLines, IsReference, type OrderLineBody } from './order.fields.js';

/** Body of `POST /v1/orders`. */
export class PlaceOrderBody {
  @IsCustomerId()
  readonly customerId!: string;

  @IsReference()
  readonly reference?: string;

  @IsOrderLines()
  readonly lines!: OrderLineBody[];
}
