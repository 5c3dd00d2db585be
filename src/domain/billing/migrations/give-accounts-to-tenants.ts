import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every row gets a tenant: what is there already, the one that everybody was until now. */
export class GiveAccountsToTenants implements MigrationInterface {
  readonly name = 'GiveAccountsToTenants1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table billing.accounts
        add tenant_id text not null default 'default',
        drop constraint accounts_pkey,
        add constraint accounts_pkey primary key (tenant_id, customer_id)`);
    await runner.query('alter table billing.accounts alter tenant_id drop default');
    await runner.query(`
      alter table billing.charges
        add tenant_id text not null default 'default',
        drop constraint charges_pkey,
        add constraint charges_pkey primary key (tenant_id, order_id)`);
    await runner.query('alter table billing.charges alter tenant_id drop default');
  }

  /** Fails when there are rows of other tenants, which would become everybody's. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query("alter table billing.accounts add constraint accounts_have_one_tenant check (tenant_id = 'default')");
    // With the column go its constraints.
    await runner.query('alter table billing.accounts drop tenant_id, add constraint accounts_pkey primary key (customer_id)');
    await runner.query("alter table billing.charges add constraint charges_have_one_tenant check (tenant_id = 'default')");
    // With the column go its constraints.
    await runner.query('alter table billing.charges drop tenant_id, add constraint charges_pkey primary key (order_id)');
  }
}
