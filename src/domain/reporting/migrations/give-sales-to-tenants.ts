import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every row gets a tenant: what is there already, the one that everybody was until now. */
export class GiveSalesToTenants implements MigrationInterface {
  readonly name = 'GiveSalesToTenants1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table reporting.sales
        add tenant_id text not null default 'default',
        drop constraint sales_pkey,
        add constraint sales_pkey primary key (tenant_id, customer_id, currency)`);
    await runner.query('alter table reporting.sales alter tenant_id drop default');
  }

  /** Fails when there are rows of other tenants, which would become everybody's. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query("alter table reporting.sales add constraint sales_have_one_tenant check (tenant_id = 'default')");
    // With the column go its constraints.
    await runner.query('alter table reporting.sales drop tenant_id, add constraint sales_pkey primary key (customer_id, currency)');
  }
}
