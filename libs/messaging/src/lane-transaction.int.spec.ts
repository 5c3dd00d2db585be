import 'reflect-metadata';
import { ContextDatabase, isTransient } from '@nestbox/persistence';
import { createTestDatabase, type TestDatabase } from '@nestbox/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lane } from './lane.js';
import { LaneClaims } from './lane-claims.js';
import { LaneLost, laneTransaction } from './lane-transaction.js';
import { Leases } from './leases.js';
import { advanced, type Generation, released } from './protocol/generation.js';
import { messagingTables } from './messaging-tables.js';

describe('a fenced transaction', () => {
  let database: TestDatabase;
  let db: ContextDatabase;
  const leases = [new Leases(), new Leases()];

  beforeAll(async () => {
    database = await createTestDatabase();
    db = new ContextDatabase({ context: 'shop', url: database.url, migrations: [messagingTables('shop')], poolSize: 4 });
    await db.open();
    await db.migrate();
    await db.query('create table shop.effect (n int)');
  });

  afterAll(async () => {
    for (const lease of leases) await lease.stop();
    await db?.close();
    await database?.drop();
  });

  const effect = (n: number) => async () => [{ text: 'insert into shop.effect values ($1)', values: [n] }];
  const effects = async () => (await db.query<{ n: number }>('select n from shop.effect order by n')).rows.map(({ n }) => n);
  /** Two processes, as the database sees them; the first one owns lane 0. */
  const twoOwners = async (reader: string) => {
    const [first, second] = leases.map((lease) => new LaneClaims(db, reader, 'shop', lease.of(db))) as [LaneClaims, LaneClaims];
    for (const claims of [first, second]) await claims.prepare([0]);
    const [taken] = await first.claim([{ lane: 0, gen: 0, n: 0, owner: null, crashes: 0 }]);
    return { first, second, taken: taken!, lane: laneOf(taken!) };
  };
  const laneOf = (generation: Generation, seenAt = performance.now()) => new Lane(generation, seenAt);

  it('changes nothing when another process has moved the lane', async () => {
    const { first, lane, taken } = await twoOwners('a');
    await laneTransaction(db, first, lane, { n: 1 }, effect(1));
    await expect(laneTransaction(db, first, laneOf(taken), { n: 1 }, effect(1))).rejects.toThrow(LaneLost);
    expect(await effects()).toEqual([1]);
  });

  it('changes nothing when a failover has lost the generation it follows, and the effects with it', async () => {
    const { first, second, lane, taken } = await twoOwners('failover');
    await laneTransaction(db, first, lane, { n: 7 }, async () => []);
    await db.query("delete from shop.cursor where reader = 'failover' and gen = $1", [lane.gen]);
    await expect(laneTransaction(db, first, lane, { n: 8 }, effect(8))).rejects.toThrow(LaneLost);
    expect(await second.claim([released(advanced(taken, 7))])).toEqual([]);
    expect(await effects()).toEqual([1]);
    const { rows } = await db.query<{ n: string }>("select n from shop.cursor where reader = 'failover' order by gen desc limit 1");
    expect(rows).toEqual([{ n: '0' }]);
  });

  it('does not move the lane when its BEGIN has failed and the fence behind it runs alone', async () => {
    const { first, lane, taken } = await twoOwners('begin');
    const fence = first.fence(advanced(taken, 9));
    const client = await db.connect();
    // Also on a connection that has had such a transaction before.
    for (const statement of ['begin', "set local nestbox.fence = 'open'", 'commit']) await client.query(statement);
    expect((await client.query(fence.text, fence.values as unknown[])).rowCount).toBe(0);
    client.release();
    await laneTransaction(db, first, lane, { n: 1 }, async () => []);
    const { rows } = await db.query<{ n: string }>("select n from shop.cursor where reader = 'begin' order by gen desc limit 1");
    expect(rows).toEqual([{ n: '1' }]);
  });

  it('begins its work while the fence is on its way, but nothing of it that could write goes ahead', async () => {
    const { first, taken, lane } = await twoOwners('early');
    const blocker = await db.connect();
    await blocker.query('begin');
    await blocker.query('lock table shop.cursor in exclusive mode');
    const steps: string[] = [];
    const moving = laneTransaction(db, first, lane, { n: 1 }, async ({ transaction }) => {
      steps.push('begun');
      await transaction.manager.query('insert into shop.effect values (7)');
      steps.push('written');
      return [];
    });
    expect(await Promise.race([moving, new Promise((resolve) => setTimeout(resolve, 300, 'fenced out'))])).toBe('fenced out');
    expect(steps).toEqual(['begun']);
    await blocker.query('rollback');
    blocker.release();
    await moving;
    expect(steps).toEqual(['begun', 'written']);
    // Not its own any more: what it writes waits for the fence, and that fails.
    await expect(laneTransaction(db, first, laneOf(taken), { n: 1 }, async ({ transaction }) => transaction.manager.query('insert into shop.effect values (8)'))).rejects.toThrow(LaneLost);
    expect(await effects()).toContain(7);
    expect(await effects()).not.toContain(8);
    await db.query('delete from shop.effect where n = 7');
  });

  it('is ended by the server when its process falls asleep in it, so that the next owner need not wait for it to wake', async () => {
    const { first, second, taken, lane } = await twoOwners('asleep');
    const woken = Promise.withResolvers<void>();
    const sleeping = laneTransaction(db, first, lane, { n: 1 }, () => woken.promise.then(effect(99))).catch((error: unknown) => error);
    await expect.poll(() => second.claim([taken])).toHaveLength(1);
    woken.resolve();
    expect(isTransient(await sleeping)).toBe(true);
    expect(await effects()).not.toContain(99);
  });

  it('changes nothing when its owner was paused for so long that the generations it knows are pruned', async () => {
    const { first, second, taken, lane } = await twoOwners('b');
    await first.release([lane]);
    const [next] = await second.claim([released(taken)]);
    const successor = laneOf(next!);
    for (let n = 2; n <= 50; n++) await laneTransaction(db, second, successor, { n }, async () => []);
    // As pruning leaves it, a minute and many generations later: it keeps every hundredth, which may be the one it knows.
    await db.query("delete from shop.cursor where reader = 'b' and gen > $1 and gen < $2", [taken.gen, successor.gen]);
    const woken = laneOf(taken, performance.now() - 60_000);
    await expect(laneTransaction(db, first, woken, { n: 2 }, effect(2))).rejects.toThrow(LaneLost);
    expect(await effects()).toEqual([1]);
  });

  it('is not in the way of pruning, which leaves what a paused owner still relies on', async () => {
    const { first, lane } = await twoOwners('c');
    for (let n = 1; n <= 20; n++) await laneTransaction(db, first, lane, { n }, async () => []);
    const generations = async () => (await db.query<{ gen: string }>("select gen from shop.cursor where reader = 'c' order by gen")).rows.map(({ gen }) => Number(gen));
    await first.prune(0, lane.gen + 1_010);
    expect(await generations()).toHaveLength(22);
    await db.query("update shop.cursor set at = at - interval '2 minutes' where reader = 'c' and gen < 15");
    await first.prune(0, lane.gen + 1_010);
    expect(await generations()).toEqual([0, 15, 16, 17, 18, 19, 20, 21]);
  });
});
