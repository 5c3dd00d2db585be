import { Injectable } from '@nestjs/common';
import { type ContextDatabase, DeferredWrites, InjectDatabase } from '@nestbox/persistence';
import { toExactInteger } from '../../shared/columns.js';
import { addSales } from './add-sales.js';
import { type CustomerSales, SalesSchema } from './sales.schema.js';

/** Sums over customers, in one currency. */
export type SalesTotal = Omit<CustomerSales, 'customerId'>;

/** The sales report's own table: a row per customer of a tenant and none for the total, which every sale would have to wait for. */
@Injectable()
export class Sales {
  private readonly writes: DeferredWrites<CustomerSales>;

  constructor(@InjectDatabase('reporting') private readonly db: ContextDatabase) {
    this.writes = new DeferredWrites(db, 'reporting.sales', addSales);
  }

  /** Adds to what the customer has bought so far. */
  add(sale: CustomerSales): void {
    this.writes.push(sale);
  }

  /** For queries. */
  async ofCustomer(customerId: string, currency: string): Promise<CustomerSales> {
    const sales = await this.db.select(SalesSchema, 's').where('s.customerId = :customerId and s.currency = :currency', { customerId, currency }).getOne();
    return sales ?? { customerId, currency, orders: 0, units: 0, revenue: 0 };
  }

  /** For queries. */
  async total(currency: string): Promise<SalesTotal> {
    // Sums of bigint are numeric, which the driver hands over as text; without rows they are null.
    const sums = await this.db
      .select(SalesSchema, 's')
      .select('coalesce(sum(s.orders), 0)', 'orders')
      .addSelect('coalesce(sum(s.units), 0)', 'units')
      .addSelect('coalesce(sum(s.revenue), 0)', 'revenue')
      .where('s.currency = :currency', { currency })
      .getRawOne<{ orders: string; units: string; revenue: string }>();
    const { orders, units, revenue } = sums!;
    return { currency, orders: toExactInteger(orders), units: toExactInteger(units), revenue: toExactInteger(revenue) };
  }
}
