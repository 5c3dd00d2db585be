import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { laneOf } from '@nestbox/messaging';
import { NOTE } from './contexts.js';
import { type Environment, withClient } from './environment.js';

/** Rows of one insert. */
const CHUNK = 100_000;
/** After so many the sequencer gets its turn, which also adds partitions. */
const TURN = 500_000;

/** Names of `count` things. */
export function thingNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `thing-${index}`);
}

/** A database with the tables of both contexts, and so many things. */
export async function createDatabase(environment: Environment, things: readonly string[]): Promise<string> {
  const url = await environment.createDatabase();
  const app = environment.start('engine-process');
  await app.call('start', { databaseUrl: url, contexts: ['bench', 'effects'] });
  await app.stop();
  await withClient(url, (client) => client.query('insert into bench.thing select name, 0, 0 from unnest($1::text[]) name', [things]));
  return url;
}

/**
 * Puts events into the outbox as commands would have, thing after thing, and lets the sequencer number them.
 * @param events a multiple of the number of things
 */
export async function fillOutbox(environment: Environment, url: string, things: readonly string[], events: number): Promise<void> {
  const rounds = events / things.length;
  const perChunk = Math.max(1, Math.floor(CHUNK / things.length));
  await withClient(url, async (client) => {
    const { rows } = await client.query('select coalesce(max(aggregate_version), 0)::int version from bench.outbox where aggregate_id = $1', [things[0]]);
    let version: number = rows[0].version;
    const end = version + rounds;
    for (let sinceTurn = TURN; version < end; ) {
      if (sinceTurn >= TURN) {
        await letSequence(environment, url, client);
        sinceTurn = 0;
      }
      const upTo = Math.min(end, version + perChunk);
      await insert(client, things, version + 1, upTo);
      sinceTurn += (upTo - version) * things.length;
      version = upTo;
    }
    await letSequence(environment, url, client);
    await client.query('vacuum analyze bench.outbox, bench.log');
  });
}

async function insert(client: pg.Client, things: readonly string[], from: number, to: number): Promise<void> {
  await client.query(
    `insert into bench.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     select gen_random_uuid(), 'default', t.lane, 'bench.thing', t.id, v, 'bench.changed', 1,
       jsonb_build_object('thing', t.id, 'version', v, 'note', $5::text),
       jsonb_build_object('correlationId', gen_random_uuid(), 'causationId', gen_random_uuid())
     from generate_series($3::int, $4::int) v cross join unnest($1::text[], $2::int[]) with ordinality t(id, lane, place) order by v, t.place`,
    [things, things.map((id) => laneOf('default', 'bench.thing', id)), from, to, NOTE],
  );
}

/** Runs a process of the publishing context until every event has its number. */
async function letSequence(environment: Environment, url: string, client: pg.Client): Promise<void> {
  const app = environment.start('engine-process');
  await app.call('start', { databaseUrl: url, contexts: ['bench'] });
  for (;;) {
    const { rows } = await client.query('select (select count(*) from bench.outbox) = (select count(*) from bench.log) done');
    if (rows[0].done) break;
    await sleep(100);
  }
  await app.stop();
}

/** Sets the subscriber back to before the first event, or to after the last. */
export async function resetSubscriber(url: string, to: 'first' | 'last' = 'first'): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('truncate effects.effect restart identity');
    await client.query('truncate effects.cursor');
    if (to === 'last') await client.query("insert into effects.cursor (reader, source, lane, gen, n) select 'effects', 'bench', lane, 0, max(n) from bench.log group by lane");
  });
}
