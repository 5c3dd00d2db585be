import { Query, QueryHandler } from '@nestjs/cqrs';
import { PUBLIC } from '@nestbox/kernel';
import { Described, IsCursor, IsPageLimit } from '../../shared/fields.js';
import { Products } from '../repositories/products.js';
import { ProductPage, ProductView } from '../schemas/product.view.js';

@Described('The products, a page at a time.')
export class ListProducts extends Query<ProductPage> {
  static readonly type = 'inventory.list-products';
  static readonly permission = PUBLIC;
  static readonly reply = ProductPage;

  @IsPageLimit()
  readonly limit: number | undefined;

  @IsCursor()
  readonly cursor: string | undefined;

  constructor(limit?: number, cursor?: string) {
    super();
    this.limit = limit;
    this.cursor = cursor;
  }
}

@QueryHandler(ListProducts)
export class ListProductsHandler {
  constructor(private readonly products: Products) {}

  async execute({ limit, cursor }: ListProducts): Promise<ProductPage> {
    const { items, nextCursor } = await this.products.page(limit, cursor);
    return { items: items.map((product) => ProductView.of(product)), nextCursor };
  }
}
