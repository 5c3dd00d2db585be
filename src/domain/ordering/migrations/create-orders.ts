import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOrders implements MigrationInterface {
  readonly name = 'CreateOrders1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table ordering.orders (
        id uuid constraint orders_pkey primary key,
        customer_id text not null,
        reference text,
        status text not null constraint orders_status_check check (status in ('placed', 'confirmed', 'rejected', 'cancelled')),
        reason text,
        lines jsonb not null,
        total_amount bigint not null,
        currency text not null,
        history jsonb not null,
        version int not null,
        constraint orders_customer_id_reference_key unique (customer_id, reference))`);
    // Ids grow with time, so these serve "newest first" of a customer and of a status.
    await runner.query('create index orders_customer_id_id_idx on ordering.orders (customer_id, id)');
    await runner.query('create index orders_status_id_idx on ordering.orders (status, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table ordering.orders');
  }
}
