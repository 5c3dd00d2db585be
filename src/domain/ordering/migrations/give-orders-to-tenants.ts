import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every row gets a tenant: what is there already, the one that everybody was until now. */
export class GiveOrdersToTenants implements MigrationInterface {
  readonly name = 'GiveOrdersToTenants1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table ordering.orders
        add tenant_id text not null default 'default',
        drop constraint orders_pkey,
        add constraint orders_pkey primary key (tenant_id, id),
        drop constraint orders_customer_id_reference_key,
        add constraint orders_customer_id_reference_key unique (tenant_id, customer_id, reference)`);
    await runner.query('alter table ordering.orders alter tenant_id drop default');
    await runner.query('drop index ordering.orders_customer_id_id_idx, ordering.orders_status_id_idx');
    await runner.query('create index orders_tenant_id_customer_id_id_idx on ordering.orders (tenant_id, customer_id, id)');
    await runner.query('create index orders_tenant_id_status_id_idx on ordering.orders (tenant_id, status, id)');
  }

  /** Fails when there are rows of other tenants, which would become everybody's. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query("alter table ordering.orders add constraint orders_have_one_tenant check (tenant_id = 'default')");
    // With the column go its constraints and indexes.
    await runner.query(`
      alter table ordering.orders
        drop tenant_id,
        add constraint orders_pkey primary key (id),
        add constraint orders_customer_id_reference_key unique (customer_id, reference)`);
    await runner.query('create index orders_customer_id_id_idx on ordering.orders (customer_id, id)');
    await runner.query('create index orders_status_id_idx on ordering.orders (status, id)');
  }
}
