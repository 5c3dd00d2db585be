import { Query, QueryHandler } from '@nestjs/cqrs';
import { PUBLIC } from '@nestbox/kernel';
import { Described } from '../../shared/fields.js';
import { Products } from '../repositories/products.js';
import { IsProductId } from '../schemas/product.fields.js';
import { ProductView } from '../schemas/product.view.js';

@Described('One product and its stock.')
export class GetProduct extends Query<ProductView> {
  static readonly type = 'inventory.get-product';
  static readonly permission = PUBLIC;
  static readonly reply = ProductView;

  @IsProductId()
  readonly productId: string;

  constructor(productId: string) {
    super();
    this.productId = productId;
  }
}

@QueryHandler(GetProduct)
export class GetProductHandler {
  constructor(private readonly products: Products) {}

  async execute({ productId }: GetProduct): Promise<ProductView> {
    return ProductView.of(await this.products.read(productId));
  }
}
