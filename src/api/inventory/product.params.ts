import { IsCursor, IsPageLimit } from '../../domain/shared/fields.js';
import { IsProductId } from '../../domain/inventory/schemas/product.fields.js';

export class ProductPath {
  @IsProductId()
  readonly id!: string;
}

/** Which page of the products. */
export class ProductQuery {
  @IsPageLimit()
  readonly limit?: number;

  @IsCursor()
  readonly cursor?: string;
}
