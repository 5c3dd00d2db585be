import { DomainError, type ErrorDefinition } from '@nestbox/kernel';

export class OrderNotFound extends DomainError {
  static readonly definition = {
    code: 'ordering.order-not-found', kind: 'not-found', title: 'Order not found',
    cause: 'There is no order with this id.',
    cure: 'Use the id that was answered when the order was placed; the list of orders has it, too.',
  } as const satisfies ErrorDefinition;

  constructor(id: string) {
    super(OrderNotFound.definition, `There is no order "${id}".`, { orderId: id });
  }
}

export class DuplicateReference extends DomainError {
  static readonly definition = {
    code: 'ordering.duplicate-reference', kind: 'conflict', title: 'Reference used already',
    cause: 'The customer has placed an order with this reference before.',
    cure: 'If it is the same order, nothing is left to do; otherwise give it a reference of its own.',
  } as const satisfies ErrorDefinition;

  constructor(customerId: string, reference: string) {
    super(
      DuplicateReference.definition,
      `The customer "${customerId}" has already placed an order with the reference "${reference}". If it is the same order, nothing is left to do; otherwise give it a reference of its own.`,
      { customerId, reference },
    );
  }
}

export class OrderWithoutLines extends DomainError {
  static readonly definition = {
    code: 'ordering.order-without-lines', kind: 'invalid', title: 'Order without lines',
    cause: 'The order says nothing of what is ordered.',
    cure: 'Add at least one line.',
  } as const satisfies ErrorDefinition;

  constructor() {
    super(OrderWithoutLines.definition, 'An order needs at least one line.');
  }
}

export class InvalidOrderLine extends DomainError {
  static readonly definition = {
    code: 'ordering.invalid-order-line', kind: 'invalid', title: 'Invalid order line',
    cause: 'A line of the order breaks a rule of quantities, prices or discounts.',
    cure: 'Correct the line that the problem names.',
  } as const satisfies ErrorDefinition;

  constructor(productId: string, rule: string) {
    super(InvalidOrderLine.definition, `The line for product "${productId}" breaks a rule: ${rule}.`, { productId });
  }
}

export class OrderTooLarge extends DomainError {
  static readonly definition = {
    code: 'ordering.order-too-large', kind: 'invalid', title: 'Order too large',
    cause: 'The total of the order is more than an order may come to.',
    cure: 'Check quantities and prices, or split the order.',
  } as const satisfies ErrorDefinition;

  constructor(largest: number) {
    super(
      OrderTooLarge.definition,
      `The total of an order may be ${largest} cents at most. Check its quantities and prices, or split it.`,
      { largest },
    );
  }
}

export class OrderNotCancellable extends DomainError {
  static readonly definition = {
    code: 'ordering.order-not-cancellable', kind: 'conflict', title: 'Order cannot be cancelled any more',
    cause: 'The order is confirmed or rejected already; only one that still waits can be cancelled.',
    cure: 'Read the order to see what became of it.',
  } as const satisfies ErrorDefinition;

  constructor(id: string, status: string) {
    super(OrderNotCancellable.definition, `The order "${id}" is ${status}; only an order that still waits for its confirmation can be cancelled.`, {
      orderId: id,
      status,
    });
  }
}
