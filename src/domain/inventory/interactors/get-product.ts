import { Query, QueryHandler } from '@nestjs/cqrs';
import { Products } from '../repositories/products.js';
import { IsProductId } from '../schemas/product.fields.js';
import { ProductView } from '../schemas/product.view.js';

export class GetProduct extends Query<ProductView> {
  static readonly type = 'inventory.get-product';

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
