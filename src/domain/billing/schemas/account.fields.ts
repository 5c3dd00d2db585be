import { IsCents, IsIdentifier } from '../../shared/fields.js';

export function IsCustomerId(): PropertyDecorator {
  return IsIdentifier({ description: 'Id of the customer.', example: 'VINET' });
}

/** A credit limit in cents, or null for none. It has to be said which: leaving it out is a mistake. */
export function IsCreditLimit(): PropertyDecorator {
  return IsCents({ nullable: true, description: 'What the customer may owe, in cents; null: as much as they like.', example: 5_000_000 });
}
