import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationClass } from '@nestbox/persistence';
import { LANES } from './lanes.js';

/** Rows per partition of `outbox` and `log`, unless the migration is made with another number. */
const PARTITION_SIZE = 1_000_000;

/** How many partitions exist ahead of the newest row. */
export const PARTITIONS_AHEAD = 2;

/**
 * The migration that gives a context its outbox, its log and the positions of its readers. Everything is append-only
 * or a few rows: an old open transaction elsewhere slows nothing down.
 * @param partitionSize rows per partition of `outbox` and `log`; later partitions take after the ones before
 */
export function messagingTables(schema: string, partitionSize = PARTITION_SIZE): MigrationClass {
  return class MessagingTables1767225600000 implements MigrationInterface {
    readonly name = 'MessagingTables1767225600000';

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(up(`"${schema}"`));
      for (let index = 0; index <= PARTITIONS_AHEAD; index++) {
        for (const table of ['outbox', 'log'] as const) await runner.query(createPartition(schema, table, index, partitionSize));
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(down(`"${schema}"`));
    }
  };
}

/** Creates partition number `index` of a table that has no rows in that range yet. */
function createPartition(schema: string, table: 'outbox' | 'log', index: number, size: number): string {
  const from = index * size;
  return `create table "${schema}".${table}_p${index} partition of "${schema}".${table} for values from (${from}) to (${from + size})`;
}

/** Of an outbox row, with its log row `l` and {@link relayOf}: refused by the broker, not on its way yet, or on its way. */
export const OUTBOX_STATE = "case when t.n is not null then 'ERR' when l.n is null or l.n > coalesce(r.n, l.n) then 'NEW' else 'SENT' end";

/** Joins how far the relay is (`r`) and what it could not publish (`t`) to a log row `l`. */
export const relayOf = (s: string) => `
    left join lateral (select n from ${s}.cursor where reader = 'relay' order by gen desc limit 1) r on true
    left join lateral (select n, attempts from ${s}.trouble where reader = 'relay' and n = l.n limit 1) t on true`;

const up = (s: string) => `
  create table if not exists nb.member (
    reader text not null, instance uuid not null, until timestamptz not null,
    primary key (reader, instance));
  create table if not exists nb.instance (
    instance uuid primary key, process text not null, started_at timestamptz not null default clock_timestamp());

  create table ${s}.outbox (
    xid xid8 not null default pg_current_xact_id(),
    position bigint generated always as identity (cache 1),
    id uuid not null, tenant_id text not null, lane smallint not null,
    aggregate_type text not null, aggregate_id text not null, aggregate_version bigint not null,
    type text not null, schema_version int not null, payload jsonb not null, headers jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (position)) partition by range (position);
  create index on ${s}.outbox (xid);

  create table ${s}.log (
    n bigint primary key, lane smallint not null, prev bigint not null, position bigint not null) partition by range (n);
  create index on ${s}.log (lane, n);
  create index on ${s}.log using brin (position) with (autosummarize = on);

  create table ${s}.sequencer (
    gen bigint primary key, owner uuid, snap pg_snapshot not null, head bigint not null, heads bigint[] not null,
    system_id bigint not null, timeline int not null, incarnation oid not null);
  insert into ${s}.sequencer
    select 0, null, pg_current_snapshot(), 0, array_fill(0::bigint, array[${LANES}]), system_identifier,
      ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int, '${s}.sequencer'::regclass
    from pg_control_system();

  create table ${s}.cursor (
    reader text not null, source text not null, lane smallint not null, gen bigint not null, n bigint not null,
    owner uuid, crashes int not null default 0, stream_created timestamptz, stream_seq bigint,
    at timestamptz not null default clock_timestamp(),
    primary key (reader, source, lane, gen));

  create table ${s}.trouble (
    reader text not null, source text not null, lane smallint not null, handler text not null, key text not null,
    n bigint not null, event jsonb not null,
    state text not null check (state in ('head', 'queued', 'dead', 'throttled')),
    attempts int not null default 0, next_at timestamptz, error jsonb,
    request text check (request in ('replay', 'skip')), edited jsonb, asked int not null default 0,
    since timestamptz not null default clock_timestamp(), failed_at timestamptz,
    primary key (reader, source, handler, key, n));
  create index on ${s}.trouble (reader, source, lane, next_at) where state = 'head';
  create index on ${s}.trouble (reader, source, lane, key, n) where state = 'throttled';
  create index on ${s}.trouble (reader, source, lane) where request is not null;

  create table ${s}.solved (
    reader text not null, source text not null, lane smallint not null, handler text not null, key text not null,
    n bigint not null, outcome text not null check (outcome in ('handled', 'skipped')), edited boolean not null,
    attempts int not null, error jsonb, since timestamptz not null, owner uuid,
    at timestamptz not null default clock_timestamp());
  create index on ${s}.solved (at);
  create index on ${s}.solved (source, n);

  create table ${s}.attempt (
    reader text not null, source text not null, lane smallint not null, n bigint not null,
    instance uuid, handler text, reason text, started_at timestamptz not null default clock_timestamp(),
    primary key (reader, source, lane, n, started_at));

  create table ${s}.idempotency_key (
    tenant_id text not null, caller text not null, operation text not null, key text not null,
    fingerprint text not null, claim uuid not null, until timestamptz not null, answer jsonb,
    at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, caller, operation, key));
  create index on ${s}.idempotency_key (at);

  create view ${s}.outbox_state as
    select o.*, l.n, ${OUTBOX_STATE} as state, coalesce(t.attempts, 0) as retries
    from ${s}.outbox o left join ${s}.log l on l.position = o.position ${relayOf(s)};
`;

const down = (s: string) => `
  drop view ${s}.outbox_state;
  drop table ${s}.idempotency_key, ${s}.attempt, ${s}.solved, ${s}.trouble, ${s}.cursor, ${s}.sequencer, ${s}.log, ${s}.outbox;
`;
