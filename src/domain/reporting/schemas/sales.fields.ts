import { IsIdentifier } from '../../shared/fields.js';

export function IsCustomerId(): PropertyDecorator {
  return IsIdentifier({ description: 'Id of the customer.', example: 'VINET' });
}
