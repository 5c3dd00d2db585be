import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateStock implements MigrationInterface {
  readonly name = 'CreateStock1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table inventory.products (
        id text constraint products_pkey primary key,
        name text not null,
        on_hand bigint not null,
        reserved bigint not null,
        version int not null,
        constraint products_reserved_check check (reserved between 0 and on_hand))`);
    await runner.query(`
      create table inventory.reservations (
        id uuid constraint reservations_pkey primary key,
        status text not null constraint reservations_status_check check (status in ('held', 'rejected', 'released')),
        lines jsonb not null,
        version int not null)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table inventory.reservations');
    await runner.query('drop table inventory.products');
  }
}
