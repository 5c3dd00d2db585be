import { Logger } from '@nestjs/common';
import { ContextDatabase } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FreshEvents } from './fresh-events.js';
import { Leases } from './leases.js';
import { LogSource } from './log-source.js';
import { messagingTables } from './messaging-tables.js';
import { Sequencer } from './sequencer.js';
import { LocalWakeUps } from './wake-ups.js';

const LANES_READ = [3, 4, 5];

describe('events that the sequencer of the same process has just numbered', () => {
  const wakeUps = new LocalWakeUps();
  const leases = new Leases();
  const fresh = new FreshEvents();
  let database: TestDatabase;
  let db: ContextDatabase;
  let sequencer: Sequencer;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 4 });
    await db.open();
    await db.migrate();
    sequencer = new Sequencer(db, leases.of(db), wakeUps, new Logger('test'), fresh);
    await sequencer.start();
  });
  afterAll(async () => {
    await sequencer?.stop();
    await leases.stop();
    await db?.close();
    await database?.drop();
  });

  const store = async (from: number, to: number) => {
    await db.query(
      `insert into shop.outbox (id, tenant_id, lane, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, headers)
       select gen_random_uuid(), 'default', 3 + v % 2, 'shop.thing', 'thing ' || v % 2, v, 'shop.happened', 1, jsonb_build_object('v', v, 'deep', '{"ü":[1,null]}'::jsonb), '{"correlationId":"c"}'
       from generate_series($1::int, $2::int) v order by v`,
      [from, to],
    );
    wakeUps.poke('commit.shop');
    await expect.poll(() => fresh.head).toBe(to);
  };
  const at = (positions: ReadonlyMap<number, number>) => LANES_READ.map((lane) => ({ lane, n: positions.get(lane) ?? 0 }));

  it('are read from memory as the database would have told them', async () => {
    await store(1, 10);
    const [reader, asker] = [new LogSource(db, wakeUps, fresh), new LogSource(db, wakeUps)];
    const first = await reader.fetch(at(new Map()), 100);
    expect([...first.values()].flat()).toHaveLength(10);
    const positions = new Map([...first].map(([lane, events]) => [lane, events.at(-1)!.n]));
    await store(11, 20);
    const told = await asker.fetch(at(positions), 100);
    await db.query('begin; alter table shop.log rename to hidden; commit');
    try {
      await expect(asker.fetch(at(positions), 100)).rejects.toThrow('does not exist');
      expect(await reader.fetch(at(positions), 100)).toEqual(told);
      expect(await reader.fetch(at(new Map([...told].map(([lane, events]) => [lane, events.at(-1)!.n]))), 100)).toEqual(new Map());
    } finally {
      await db.query('begin; alter table shop.hidden rename to log; commit');
    }
  });

  it('are read from the database by a reader that is set back, or further behind than memory reaches', async () => {
    const reader = new LogSource(db, wakeUps, fresh);
    await store(21, 320);
    const all = (await reader.fetch(at(new Map()), 1_000)).values();
    expect([...all].flat()).toHaveLength(320);
    const again = (await reader.fetch(at(new Map()), 1_000)).values();
    expect([...again].flat().map(({ n }) => n).toSorted((left, right) => left - right)).toEqual(Array.from({ length: 320 }, (_, index) => index + 1));
  });

  it('come no second time when the same reader asks in small portions', async () => {
    const reader = new LogSource(db, wakeUps, fresh);
    await store(321, 360);
    const positions = new Map<number, number>();
    const seen: number[] = [];
    for (let turn = 0; turn < 200; turn++) {
      const portion = await reader.fetch(at(positions), 3);
      for (const [lane, events] of portion) {
        seen.push(...events.map(({ n }) => n));
        positions.set(lane, events.at(-1)!.n);
      }
      if (turn === 20) await store(361, 400);
    }
    expect(seen.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
  });
});
