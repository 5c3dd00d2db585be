import { IsIdentifier, IsQuantity, IsText } from '../../shared/fields.js';

export function IsProductId(): PropertyDecorator {
  return IsIdentifier({ description: 'Id of the product, chosen by whoever registers it.', example: 'queso-cabrales' });
}

export function IsProductName(): PropertyDecorator {
  return IsText(200, { description: 'Name for people.', example: 'Queso Cabrales' });
}

export function IsReceivedQuantity(): PropertyDecorator {
  return IsQuantity({ description: 'How many pieces have arrived.', example: 100 });
}
