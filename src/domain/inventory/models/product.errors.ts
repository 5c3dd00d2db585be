import { DomainError, type ErrorDefinition } from '@nestbox/kernel';

export class ProductNotFound extends DomainError {
  static readonly definition = {
    code: 'inventory.product-not-found', kind: 'not-found', title: 'Product not found',
    cause: 'There is no product with this id.',
    cure: 'Check the id, or register the product first.',
  } as const satisfies ErrorDefinition;

  constructor(id: string) {
    super(ProductNotFound.definition, `There is no product "${id}". Register it first.`, { productId: id });
  }
}

export class ProductAlreadyRegistered extends DomainError {
  static readonly definition = {
    code: 'inventory.product-already-registered', kind: 'conflict', title: 'Product registered already',
    cause: 'There is a product with this id already.',
    cure: 'Use it, or choose another id.',
  } as const satisfies ErrorDefinition;

  constructor(id: string) {
    super(ProductAlreadyRegistered.definition, `The product "${id}" is registered already. Use it, or choose another id.`, { productId: id });
  }
}

export class StockBelowZero extends DomainError {
  static readonly definition = {
    code: 'inventory.stock-below-zero', kind: 'conflict', title: 'Stock below zero',
    cause: 'More would be taken out of the stock of a product than there is in it.',
    cure: 'Read the product to see what is available.',
  } as const satisfies ErrorDefinition;

  constructor(id: string, which: 'available' | 'reserved', would: number) {
    super(StockBelowZero.definition, `The ${which} stock of product "${id}" would be ${would}.`, { productId: id });
  }
}
