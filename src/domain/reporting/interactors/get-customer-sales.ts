import { Query, QueryHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Sales } from '../repositories/sales.js';
import { IsCustomerId } from '../schemas/sales.fields.js';
import { CustomerSalesView } from '../schemas/sales.views.js';

@Described('Everything sold to one customer so far; nothing to one who is not known.')
export class GetCustomerSales extends Query<CustomerSalesView> {
  static readonly type = 'reporting.get-customer-sales';
  static readonly permission = 'reporting:read';
  static readonly reply = CustomerSalesView;

  @IsCustomerId()
  readonly customerId: string;

  constructor(customerId: string) {
    super();
    this.customerId = customerId;
  }
}

@QueryHandler(GetCustomerSales)
export class GetCustomerSalesHandler {
  constructor(private readonly sales: Sales) {}

  async execute({ customerId }: GetCustomerSales): Promise<CustomerSalesView> {
    return CustomerSalesView.of(await this.sales.ofCustomer(customerId, 'USD'));
  }
}
