import 'reflect-metadata';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from './leases.js';
import { messagingTables } from './messaging-tables.js';
import { PostgresRelayLog } from './relay-log-postgres.js';
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
