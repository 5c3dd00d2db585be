import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Logger } from '@nestjs/common';
import { ContextDatabase } from '@nestbox/persistence';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedPostgres } from '../../persistence/src/embedded-postgres.js';
import { Leases } from './leases.js';
import { messagingTables } from './messaging-tables.js';
import { Sequencer } from './sequencer.js';
import { LocalWakeUps } from './wake-ups.js';

describe('an event in a transaction that is prepared, on a server that allows it', () => {
  let home: string;
  let server: EmbeddedPostgres;
  let db: ContextDatabase;
  let sequencer: Sequencer;
  const leases = new Leases();
  const wakeUps = new LocalWakeUps();

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'nestbox-pg-'));
    // A server started by root runs as another account, which has to get through here.
    execFileSync('chmod', ['755', home]);
    server = await EmbeddedPostgres.start({ dataDir: path.join(home, 'postgres') });
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('alter system set max_prepared_transactions = 5');
    await admin.end();
    await server.stop();
    server = await EmbeddedPostgres.start({ dataDir: path.join(home, 'postgres') });
    db = new ContextDatabase({ context: 'shop', url: server.url, migrations: [messagingTables('shop')], poolSize: 3 });
    await db.open();
    await db.migrate();
    sequencer = new Sequencer(db, leases.of(db), wakeUps, new Logger('test'));
    await sequencer.start();
  });

  afterAll(async () => {
    await sequencer?.stop();
    await leases.stop();
    await db?.close();
    await server?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const insert = (key: string, version: number) =>
    `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
     values (gen_random_uuid(), 'default', 3, 'shop.thing', '${key}', ${version}, 'shop.happened', 1, '{}', '{}')`;
  const numbered = async () =>
    (await db.query<{ key: string }>('select o.aggregate_id as key from shop.log l join shop.outbox o using (position) order by l.n')).rows.map((row) => row.key);
  const prepare = async (key: string) => {
    const client = await db.connect();
    for (const statement of ['begin', insert(key, 1), `prepare transaction '${key}'`]) await client.query(statement);
    client.release();
  };

  it('gets its number once it is committed, holds up no other, and gets none when it is rolled back', async () => {
    await prepare('kept');
    await prepare('undone');
    await db.query(insert('other', 1));
    wakeUps.poke('commit.shop');
    await expect.poll(numbered).toEqual(['other']);
    await db.query("rollback prepared 'undone'");
    await db.query("commit prepared 'kept'");
    wakeUps.poke('commit.shop');
    await expect.poll(numbered).toEqual(['other', 'kept']);
  });
});
