import 'reflect-metadata';
import { DatabaseUnavailable, OutcomeUnknown } from '@nestbox/persistence';
import { createTestDatabase, CuttingProxy, TestApplication, type TestDatabase } from '@nestbox/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Count, CountingModule, GetCount, WatchingModule } from './fixtures/counters.js';

/** What only the statement that writes a counter contains. */
const COMMITTING = { new: 'insert into "counting"."counter"', known: 'update "counting"."counter"' };

describe('a command whose connection breaks during the commit', () => {
  let database: TestDatabase;
  let proxy: CuttingProxy;
  let app: TestApplication;
  let other: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await CuttingProxy.before(database);
    app = await TestApplication.start([CountingModule, WatchingModule], { database: proxy.database });
    other = new pg.Client({ connectionString: database.url });
    await other.connect();
  });

  afterAll(async () => {
    await app?.stop();
    await other?.end();
    await proxy?.stop();
    await database?.drop();
  });

  const sightings = async (counter: string) =>
    (await other.query('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map((row) => row['value']);
  const stored = async (counter: string) =>
    (await other.query("select aggregate_version::int v from counting.outbox where aggregate_id = $1 order by position", [counter])).rows.map((row) => row['v']);
  /** Holds the row of a counter, so that whoever writes it waits. */
  const hold = async (counter: string) => {
    await other.query('begin');
    await other.query('select 1 from counting.counter where id = $1 for update', [counter]);
  };

  it('has succeeded when only the answer was lost, and is not run again', async () => {
    proxy.cutNext('after', COMMITTING.new);
    expect(await app.commands.execute(new Count('answer'))).toEqual({ value: 1 });
    expect(proxy.armed).toBe(false);
    await app.settled();
    expect(await sightings('answer')).toEqual([1]);
  });

  it('has failed when the server never got it, and says that it may be tried again', async () => {
    proxy.cutNext('before', COMMITTING.new);
    await expect(app.commands.execute(new Count('request'))).rejects.toThrow(DatabaseUnavailable);
    expect(await stored('request')).toEqual([]);
    expect(await app.commands.execute(new Count('request'))).toEqual({ value: 1 });
  });

  it('has succeeded when the server gets it late, after the connection was lost: an idle server proves nothing', async () => {
    await app.commands.execute(new Count('late'));
    proxy.cutNext('late', COMMITTING.known);
    expect(await app.commands.execute(new Count('late'))).toEqual({ value: 2 });
    expect(await stored('late')).toEqual([1, 2]);
  });

  it('waits for a server that is still at work, and then knows', async () => {
    await app.commands.execute(new Count('slow'));
    await hold('slow');
    proxy.cutNext('after', COMMITTING.known);
    let answered = false;
    const counting = app.commands.execute(new Count('slow')).finally(() => (answered = true));
    await expect.poll(() => proxy.armed).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answered).toBe(false);
    await other.query('commit');
    expect(await counting).toEqual({ value: 2 });
    expect(await stored('slow')).toEqual([1, 2]);
  });

  it('says that nobody knows when the server does not come to an end, and is not run again', async () => {
    await app.commands.execute(new Count('stuck'));
    await hold('stuck');
    proxy.cutNext('after', COMMITTING.known);
    await expect(app.commands.execute(new Count('stuck'))).rejects.toThrow(OutcomeUnknown);
    await other.query('commit');
    await expect.poll(() => app.queries.execute(new GetCount('stuck'))).toBe(2);
    expect(await stored('stuck')).toEqual([1, 2]);
  });
});

describe('a command whose connection to a pooler breaks during the commit', () => {
  let database: TestDatabase;
  let proxy: CuttingProxy;
  let app: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await CuttingProxy.before(database, { pooling: true });
    app = await TestApplication.start([CountingModule], { database: proxy.database });
  });

  afterAll(async () => {
    await app?.stop();
    await proxy?.stop();
    await database?.drop();
  });

  it('has succeeded once its event is found', async () => {
    proxy.cutNext('late', COMMITTING.new);
    expect(await app.commands.execute(new Count('late'))).toEqual({ value: 1 });
  });

  it('never says that nothing was stored: the server process that may still store it is not known', async () => {
    proxy.cutNext('before', COMMITTING.new);
    await expect(app.commands.execute(new Count('lost'))).rejects.toThrow(OutcomeUnknown);
  });
});

describe('a batch of events whose connection breaks during the commit', () => {
  it.each(['before', 'after'] as const)('is handled once, whether the server got it or not: cut %s it', async (when) => {
    const database = await createTestDatabase();
    const proxy = await CuttingProxy.before(database);
    const app = await TestApplication.start([CountingModule, WatchingModule], { database: proxy.database });
    try {
      proxy.cutNext(when, 'insert into watching.sighting');
      for (let i = 0; i < 5; i++) await app.commands.execute(new Count('batch'));
      await app.settled();
      expect(proxy.armed).toBe(false);
      const { rows } = await app.db('watching').query('select value from watching.sighting order by seq');
      expect(rows.map((row) => row['value'])).toEqual([1, 2, 3, 4, 5]);
    } finally {
      await app.stop();
      await proxy.stop();
      await database.drop();
    }
  });
});
