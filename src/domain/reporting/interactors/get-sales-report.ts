import { Query, QueryHandler } from '@nestjs/cqrs';
import { Described } from '../../shared/fields.js';
import { Sales } from '../repositories/sales.js';
import { SalesView } from '../schemas/sales.views.js';

@Described('Everything sold so far.')
export class GetSalesReport extends Query<SalesView> {
  static readonly type = 'reporting.get-sales-report';
  static readonly permission = 'reporting:read';
  static readonly reply = SalesView;
}

@QueryHandler(GetSalesReport)
export class GetSalesReportHandler {
  constructor(private readonly sales: Sales) {}

  async execute(): Promise<SalesView> {
    return SalesView.of(await this.sales.total('USD'));
  }
}
