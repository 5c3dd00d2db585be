import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every row gets a tenant: what is there already, the one that everybody was until now. */
export class GiveStockToTenants implements MigrationInterface {
  readonly name = 'GiveStockToTenants1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table inventory.products
        add tenant_id text not null default 'default',
        drop constraint products_pkey,
        add constraint products_pkey primary key (tenant_id, id)`);
    await runner.query('alter table inventory.products alter tenant_id drop default');
    await runner.query(`
      alter table inventory.reservations
        add tenant_id text not null default 'default',
        drop constraint reservations_pkey,
        add constraint reservations_pkey primary key (tenant_id, id)`);
    await runner.query('alter table inventory.reservations alter tenant_id drop default');
  }

  /** Fails when there are rows of other tenants, which would become everybody's. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query("alter table inventory.products add constraint products_have_one_tenant check (tenant_id = 'default')");
    // With the column go its constraints.
    await runner.query('alter table inventory.products drop tenant_id, add constraint products_pkey primary key (id)');
    await runner.query("alter table inventory.reservations add constraint reservations_have_one_tenant check (tenant_id = 'default')");
    // With the column go its constraints.
    await runner.query('alter table inventory.reservations drop tenant_id, add constraint reservations_pkey primary key (id)');
  }
}
