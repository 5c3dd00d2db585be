import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSales implements MigrationInterface {
  readonly name = 'CreateSales1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table reporting.sales (
        customer_id text not null,
        currency text not null,
        orders bigint not null,
        units bigint not null,
        revenue bigint not null,
        constraint sales_pkey primary key (customer_id, currency))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table reporting.sales');
  }
}
