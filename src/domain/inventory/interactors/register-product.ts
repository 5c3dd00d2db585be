import { Command, CommandHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Product } from '../models/product.js';
import { Products } from '../repositories/products.js';
import { IsProductId, IsProductName } from '../schemas/product.fields.js';
import { RegisteredProduct } from '../schemas/product.view.js';

@Described('Makes a product known.')
export class RegisterProduct extends Command<RegisteredProduct> {
  static readonly type = 'inventory.register-product';
  static readonly permission = 'inventory:write';
  static readonly reply = RegisteredProduct;

  @IsProductId()
  readonly productId: string;

  @IsProductName()
  readonly name: string;

  constructor(productId: string, name: string) {
    super();
    this.productId = productId;
    this.name = name;
  }
}

@CommandHandler(RegisterProduct)
export class RegisterProductHandler {
  constructor(private readonly products: Products) {}

  async execute({ productId, name }: RegisterProduct): Promise<RegisteredProduct> {
    this.products.add(Product.register(productId, name));
    return { id: productId };
  }
}
