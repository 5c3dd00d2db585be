import { DomainError } from '@nestbox/kernel';

export class OrderNotFound extends DomainError {
  constructor(id: string) {
    super('not-found', 'ordering.order-not-found', `There is no order "${id}".`, { orderId: id });
  }
}

export class DuplicateReference extends DomainError {
  constructor(customerId: string, reference: string) {
    super(
      'conflict',
      'ordering.duplicate-reference',
      `The customer "${customerId}" has already placed an order with the reference "${reference}". If it is the same order, nothing is left to do; otherwise give it a reference of its own.`,
      { customerId, reference },
    );
  }
}

export class OrderWithoutLines extends DomainError {
  constructor() {
    super('invalid', 'ordering.order-without-lines', 'An order needs at least one line.');
  }
}

export class InvalidOrderLine extends DomainError {
  constructor(productId: string, rule: string) {
    super('invalid', 'ordering.invalid-order-line', `The line for product "${productId}" breaks a rule: ${rule}.`, { productId });
  }
}

export class OrderTooLarge extends DomainError {
  constructor(largest: number) {
    super(
      'invalid',
      'ordering.order-too-large',
      `The total of an order may be ${largest} cents at most. Check its quantities and prices, or split it.`,
      { largest },
    );
  }
}

export class OrderNotCancellable extends DomainError {
  constructor(id: string, status: string) {
    super('conflict', 'ordering.order-not-cancellable', `The order "${id}" is ${status}; only an order that still waits for its confirmation can be cancelled.`, {
      orderId: id,
      status,
    });
  }
}
