import { IsProductId, IsProductName, IsReceivedQuantity } from './product.fields.js';

/** Body of `POST /v1/products`. */
export class RegisterProductBody {
  @IsProductId()
  readonly id!: string;

  @IsProductName()
  readonly name!: string;
}

/** Body of `POST /v1/products/{id}/receipts`. */
export class ReceiveStockBody {
  @IsReceivedQuantity()
  readonly quantity!: number;
}
