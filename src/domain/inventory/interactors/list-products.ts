import { Query, QueryHandler } from '@nestjs/cqrs';
import { PUBLIC } from '@nestbox/kernel';
import { Described, IsIdentifier, IsLeftOutOr, IsPageLimit } from '../../shared/fields.js';
import { Products } from '../repositories/products.js';
import { ListedProducts, ProductView } from '../schemas/product.view.js';

@Described('The products, a page at a time.')
export class ListProducts extends Query<ListedProducts> {
  static readonly type = 'inventory.list-products';
  static readonly permission = PUBLIC;
  static readonly reply = ListedProducts;

  @IsPageLimit()
  readonly limit: number | undefined;

  @IsLeftOutOr(IsIdentifier({ required: false, description: 'Products that come after the one with this id.' }))
  readonly after: string | undefined;

  constructor(limit?: number, after?: string) {
    super();
    this.limit = limit;
    this.after = after;
  }
}

@QueryHandler(ListProducts)
export class ListProductsHandler {
  constructor(private readonly products: Products) {}

  async execute({ limit, after }: ListProducts): Promise<ListedProducts> {
    const { items, next } = await this.products.page(limit, after);
    return { items: items.map((product) => ProductView.of(product)), next };
  }
}
