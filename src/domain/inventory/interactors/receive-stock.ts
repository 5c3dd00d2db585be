import { Command, CommandHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Products } from '../repositories/products.js';
import { IsProductId, IsReceivedQuantity } from '../schemas/product.fields.js';
import { ProductView } from '../schemas/product.view.js';

@Described('Pieces of a product have arrived in the warehouse.')
export class ReceiveStock extends Command<ProductView> {
  static readonly type = 'inventory.receive-stock';
  static readonly permission = 'inventory:write';
  static readonly reply = ProductView;

  @IsProductId()
  readonly productId: string;

  @IsReceivedQuantity()
  readonly quantity: number;

  constructor(productId: string, quantity: number) {
    super();
    this.productId = productId;
    this.quantity = quantity;
  }
}

@CommandHandler(ReceiveStock)
export class ReceiveStockHandler {
  constructor(private readonly products: Products) {}

  execute({ productId, quantity }: ReceiveStock): Promise<ProductView> {
    return this.products.update(productId, (product) => {
      product.receive(quantity);
      return ProductView.of(product);
    });
  }
}
