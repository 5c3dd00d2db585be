import { DomainError } from '@nestbox/kernel';

export class ProductNotFound extends DomainError {
  constructor(id: string) {
    super('not-found', 'inventory.product-not-found', `There is no product "${id}". Register it first.`, { productId: id });
  }
}

export class ProductAlreadyRegistered extends DomainError {
  constructor(id: string) {
    super('conflict', 'inventory.product-already-registered', `The product "${id}" is registered already. Use it, or choose another id.`, { productId: id });
  }
}

export class StockBelowZero extends DomainError {
  constructor(id: string, which: 'available' | 'reserved', would: number) {
    super('conflict', 'inventory.stock-below-zero', `The ${which} stock of product "${id}" would be ${would}.`, { productId: id });
  }
}
