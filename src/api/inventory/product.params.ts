import { IsCursor, IsPageLimit } from '../../domain/shared/fields.js';
import { IsProductId } from '../../domain/inventory/schemas/product.fields.js';

export class ProductPath {
  @IsProductId()
  readonly id!: string;
}

export class ProductPaging {
  @IsPageLimit()
  readonly limit?: number;

  @IsCursor()
  readonly cursor?: string;
}
