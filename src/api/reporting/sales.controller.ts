import { Controller, Get, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '@nestbox/http';
import { GetCustomerSales } from '../../domain/reporting/interactors/get-customer-sales.js';
import { GetSalesReport } from '../../domain/reporting/interactors/get-sales-report.js';
import { CustomerSalesView, SalesView } from '../../domain/reporting/schemas/sales.views.js';
import { Sends } from '../sends.js';
import { CustomerPath } from './customer.path.js';

@ApiTags('reports')
@Controller('v1/reports/sales')
export class SalesController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @Sends(GetSalesReport)
  @ApiOperation({ operationId: 'getSalesReport', summary: 'What was sold, all customers together', description: 'Confirmed orders only.' })
  @ApiOkResponse({ description: 'The sums.', type: SalesView })
  @ApiProblems()
  getReport(): Promise<SalesView> {
    return this.queries.execute(new GetSalesReport());
  }

  @Get('customers/:id')
  @Sends(GetCustomerSales)
  @ApiOperation({ operationId: 'getCustomerSales', summary: 'What was sold to one customer', description: 'Zeros for a customer without sales.' })
  @ApiOkResponse({ description: "The customer's sums.", type: CustomerSalesView })
  @ApiProblems()
  getCustomer(@Param() { id }: CustomerPath): Promise<CustomerSalesView> {
    return this.queries.execute(new GetCustomerSales(id));
  }
}
