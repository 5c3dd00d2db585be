import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAccounts implements MigrationInterface {
  readonly name = 'CreateAccounts1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table billing.accounts (
        customer_id text constraint accounts_pkey primary key,
        credit_limit bigint constraint accounts_credit_limit_check check (credit_limit >= 0),
        charged bigint not null constraint accounts_charged_check check (charged >= 0),
        currency text not null,
        version int not null)`);
    await runner.query(`
      create table billing.charges (
        order_id uuid constraint charges_pkey primary key,
        customer_id text not null,
        status text not null constraint charges_status_check check (status in ('authorised', 'declined', 'voided')),
        amount bigint not null,
        currency text not null,
        version int not null)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table billing.charges');
    await runner.query('drop table billing.accounts');
  }
}
