import { IsIdentifier, IsObjectOf, IsUuid } from './fields.js';
import { Money } from './money.view.js';

/*
 * Fields that the events of several contexts have in common. Commands have their own, with the rules of their context.
 */

export function IsOrderId(): PropertyDecorator {
  return IsUuid({ description: 'Id of the order.', example: '019acf5e-7c00-7000-8000-000000000000' });
}

export function IsCustomerId(): PropertyDecorator {
  return IsIdentifier({ description: 'Whose order it is.', example: 'VINET' });
}

export function IsProductId(): PropertyDecorator {
  return IsIdentifier({ description: 'Which product.', example: 'queso-cabrales' });
}

export function IsMoney(description: string): PropertyDecorator {
  return IsObjectOf(() => Money, { description });
}
