import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CountingApp, startCountingApp } from './fixtures/counting-app.js';
import { Count, type Counted, watcher } from './fixtures/counters.js';

/** In one process a handler begins when its event has a number, while the log is still being appended to. */
describe('a handler that begins before the log has its event', () => {
  let app: CountingApp;
  let begun: Counted[];
  let release: () => Promise<void>;

  beforeAll(async () => {
    app = await startCountingApp();
    await app.commands.execute(new Count('first'));
    await app.settle();
  });

  afterAll(() => app?.stop());

  beforeEach(async () => {
    begun = [];
    watcher.fail = (event) => begun.push(event);
    const client = await app.counting.connect();
    await client.query('begin');
    await client.query('lock table counting.log in exclusive mode');
    release = async () => {
      await client.query('rollback');
      client.release();
    };
  });

  afterEach(() => {
    watcher.fail = undefined;
  });

  const seen = async (counter: string) => (await app.watching.query<{ value: number }>('select value from watching.sighting where counter = $1 order by seq', [counter])).rows.map(({ value }) => value);
  const troubled = async () => (await app.watching.query('select 1 from watching.trouble')).rows.length;
  /** Breaks the connection of whoever waits to append. */
  const breakAppend = async () => {
    await expect.poll(async () => (await endAppending()).rows).toHaveLength(1);
  };
  const endAppending = () => app.counting.query("select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like '%counting\".log%' and datname = current_database()");

  it('has no effect until the log has it', async () => {
    await app.commands.execute(new Count('waits'));
    await expect.poll(() => begun).toHaveLength(1);
    expect(await seen('waits')).toEqual([]);
    await release();
    await app.settle();
    expect(await seen('waits')).toEqual([1]);
    expect(begun).toHaveLength(1);
  });

  it('has its effect once when the log did not get it at first', async () => {
    await app.commands.execute(new Count('lost'));
    await expect.poll(() => begun).toHaveLength(1);
    await breakAppend();
    await release();
    await app.commands.execute(new Count('lost'));
    await app.settle();
    expect(await seen('lost')).toEqual([1, 2]);
    expect(begun.length).toBeGreaterThan(2);
  });

  it('is blamed for nothing when the log did not get it', async () => {
    watcher.fail = (event) => {
      begun.push(event);
      if (begun.length === 1) throw new Error('Not this time.');
    };
    await app.commands.execute(new Count('blamed'));
    await expect.poll(() => begun).toHaveLength(1);
    expect(await troubled()).toBe(0);
    await breakAppend();
    await release();
    await app.settle();
    expect(await troubled()).toBe(0);
    expect(await seen('blamed')).toEqual([1]);
  });
});
