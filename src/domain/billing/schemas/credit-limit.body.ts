import { IsCreditLimit } from './account.fields.js';

/** Body of `PUT /v1/customers/{id}/credit-limit`. */
export class CreditLimitBody {
  @IsCreditLimit()
  readonly amount!: number | null;
}
