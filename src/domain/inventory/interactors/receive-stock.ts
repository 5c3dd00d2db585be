import { Command, CommandHandler } from '@nestjs/cqrs';
import { Described, IsVersions } from '../../shared/fields.js';
import type { Product } from '../models/product.js';
import { Products } from '../repositories/products.js';
import { IsProductId, IsReceivedQuantity } from '../schemas/product.fields.js';
import { ProductState } from '../schemas/product.view.js';

@Described('Pieces of a product have arrived in the warehouse.')
export class ReceiveStock extends Command<ProductState> {
  static readonly type = 'inventory.receive-stock';
  static readonly permission = 'inventory:write';
  static readonly reply = ProductState;

  @IsProductId()
  readonly productId: string;

  @IsReceivedQuantity()
  readonly quantity: number;

  @IsVersions()
  readonly ifVersion: readonly number[] | undefined;

  constructor(productId: string, quantity: number, ifVersion?: readonly number[]) {
    super();
    this.productId = productId;
    this.quantity = quantity;
    this.ifVersion = ifVersion;
  }
}

@CommandHandler(ReceiveStock)
export class ReceiveStockHandler {
  constructor(private readonly products: Products) {}

  execute({ productId, quantity, ifVersion }: ReceiveStock): Promise<ProductState> {
    const receive = (product: Product) => {
      product.receive(quantity);
      return ProductState.of(product);
    };
    return this.products.update(productId, receive, ifVersion);
  }
}
