import { ApiProperty } from '@nestjs/swagger';
import { IsVersion } from '../../shared/fields.js';
import type { Product } from '../models/product.js';

/** A product and its stock. */
export class ProductState {
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

  static of({ id, name, onHand, reserved, available }: Product): ProductState {
    return { id, name, onHand, reserved, available };
  }
}

/** A product as it is stored. */
export class ProductView extends ProductState {
  @IsVersion()
  readonly version!: number;

  static override of(product: Product): ProductView {
    return { ...ProductState.of(product), version: product.version };
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
