import 'reflect-metadata';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEvent } from './envelope.js';
import { FreshEvents } from './fresh-events.js';
import type { Lease } from './leases.js';
import { messagingTables } from './messaging-tables.js';
import { PostgresRelayLog } from './relay-log-postgres.js';
import { STORED_EVENT_COLUMNS, type StoredEventRow, toStoredEvent } from './stored-event-row.js';
import { LocalWakeUps } from './wake-ups.js';

describe('the log of a context, as its relay sees it', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  let log: PostgresRelayLog;

  beforeEach(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 2, enginePoolSize: 2 });
    await db.open();
    await db.migrate();
    // Two lanes in turn: 1, 3, 5 … in lane 1 and 2, 4, 6 … in lane 0.
    await db.query(
      `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       select gen_random_uuid(), 'default', i % 2, 'shop.thing', (i % 2)::text, i, 'shop.happened', 1, '{}', '{}' from generate_series(1, 20) i`,
    );
    await db.query('insert into shop.log (n, lane, prev, position) select row_number() over (order by position), lane, greatest(0, row_number() over (order by position) - 2), position from shop.outbox');
    log = new PostgresRelayLog(db, {} as Lease, new LocalWakeUps());
  });

  afterEach(async () => {
    await db.close();
    await database.drop();
  });

  it('gives events as they are stored, with the payload as the text that the database has', async () => {
    await db.query("update shop.outbox set payload = $1, headers = $2, created_at = '2026-11-21 09:16:42.1099+02'", ['{"b": 1, "a": [12345678901234567890, "ü"]}', '{"correlationId": "c", "origin": "Buy"}']);
    const read = await log.read(3, 2);
    const { rows } = await db.query<StoredEventRow>(`select ${STORED_EVENT_COLUMNS} from shop.log l join shop.outbox o using (position) where n in (4, 5) order by n`);
    const json = '{"a": [12345678901234567890, "ü"], "b": 1}';
    expect(read).toEqual(rows.map((row) => ({ ...toStoredEvent(row), payload: undefined, json })));
    expect(read[0]).toMatchObject({ n: 4, prev: 2, lane: 0, createdAt: '2026-11-21T07:16:42.109Z' });
  });

  it('takes from memory what the sequencer of this process has just numbered, and the rest from the database', async () => {
    const fresh = new FreshEvents();
    const both = new PostgresRelayLog(db, {} as Lease, new LocalWakeUps(), fresh);
    const numbers = async (after: number) => (await both.read(after, 100)).map(({ n }) => n);
    fresh.push([21, 22].map((n) => ({ n, lane: 0 }) as StoredEvent));
    expect(await numbers(20)).toEqual([21, 22]);
    expect(await numbers(22)).toEqual([]);
    expect(await numbers(18)).toEqual([19, 20]);
    fresh.forget();
    expect(await numbers(20)).toEqual([]);
  });

  it('lists what the broker will never take with its payload', async () => {
    const [event] = await log.read(0, 1);
    await log.refused(event!, 'too large: 2 MB');
    const { rows } = await db.query<{ state: string; event: object }>('select state, event from shop.trouble');
    expect(rows).toMatchObject([{ state: 'dead', event: { n: 1, payload: {}, aggregateType: 'shop.thing' } }]);
    expect(rows[0]!.event).not.toHaveProperty('json');
  });

  it('knows of which positions it still has what follows in their lane', async () => {
    const asked = [{ lane: 1, n: 0 }, { lane: 0, n: 18 }, { lane: 0, n: 20 }, { lane: 7, n: 0 }];
    expect(await log.followed(asked)).toEqual([{ lane: 1, n: 0 }, { lane: 0, n: 18 }]);
  });

  it('does not have what follows when the contents, or what comes in between, are gone', async () => {
    await db.query('delete from shop.outbox where position in (select position from shop.log where n <= 10)');
    expect(await log.followed([{ lane: 1, n: 0 }])).toEqual([]);
    await db.query('delete from shop.log where n <= 10');
    expect(await log.followed([{ lane: 1, n: 0 }, { lane: 0, n: 8 }, { lane: 0, n: 10 }])).toEqual([{ lane: 0, n: 10 }]);
  });
});
