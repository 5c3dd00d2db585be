import { ApiProperty } from '@nestjs/swagger';
import type { Product } from '../models/product.js';

export class ProductView {
  @ApiProperty({ type: String, example: 'queso-cabrales' })
  readonly id!: string;

  @ApiProperty({ type: String, example: 'Queso Cabrales' })
  readonly name!: string;

  @ApiProperty({ type: 'integer', description: 'Pieces in the warehouse.', example: 100 })
  readonly onHand!: number;

  @ApiProperty({ type: 'integer', description: 'Pieces of those that are promised to orders.', example: 12 })
  readonly reserved!: number;

  @ApiProperty({ type: 'integer', description: 'Pieces that can still be promised.', example: 88 })
  readonly available!: number;

  static of({ id, name, onHand, reserved, available }: Product): ProductView {
    return { id, name, onHand, reserved, available };
  }
}

export class RegisteredProduct {
  @ApiProperty({ type: String, example: 'queso-cabrales' })
  readonly id!: string;
}

export class ListedProducts {
  @ApiProperty({ type: () => ProductView, isArray: true })
  readonly items!: ProductView[];

  @ApiProperty({ type: String, nullable: true, description: 'Id of the last product, after which the next page begins; null on the last page.' })
  readonly next!: string | null;
}
