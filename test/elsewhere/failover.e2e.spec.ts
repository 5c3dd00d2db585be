import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/build.ts';
import { TcpProxy } from '../chaos/tcp-proxy.ts';
import { Application, clean, drained, seconds } from './application.ts';
import { Cluster } from './cluster.ts';

describe('a failover to a promoted standby', { timeout: 180_000 }, () => {
  const closing: (() => Promise<void>)[] = [];
  beforeAll(() => expect(build()).toBe(true));
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  /** A server, its standby, and the address under which the application knows the one that is in charge. */
  async function pair(): Promise<{ primary: Cluster; standby: Cluster; proxy: TcpProxy; app: Application }> {
    const primary = await Cluster.create(['wal_level = replica', 'max_wal_senders = 4']);
    closing.push(() => primary.close());
    const standby = await primary.standby('second');
    closing.push(() => standby.close());
    const proxy = await TcpProxy.start(primary.port);
    closing.push(() => proxy.stop());
    const app = new Application({ DATABASE_URL: primary.url.replace(`:${primary.port}/`, `:${proxy.port}/`) });
    closing.push(() => app.close());
    await app.cast.ready();
    return { primary, standby, proxy, app };
  }

  it('loses, doubles and reorders nothing when the standby is synchronous: the processes go on', async () => {
    const { primary, standby, proxy, app } = await pair();
    await primary.query("alter system set synchronous_standby_names = 'second'");
    await primary.query('select pg_reload_conf()');
    await expect.poll(async () => (await primary.query('select sync_state from pg_stat_replication'))[0]).toEqual({ sync_state: 'sync' });
    const acknowledged = await app.work(async () => {
      await seconds(2);
      await primary.crash();
      await standby.promote();
      proxy.redirect(standby.port);
      await seconds(3);
    });
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(await drained(standby.url, acknowledged)).toEqual(clean);
    expect(app.log).toMatch(/The database of "shop" was restored or has failed over/);
  });

  it('that lost the newest transactions doubles and reorders nothing of what is left: an asynchronous standby forgets effects and causes together', async () => {
    const { primary, standby, proxy, app } = await pair();
    await app.work(async () => {
      await seconds(1);
      await standby.crash();
      // What is committed from here on never reaches the standby; the processes know of it all the same.
      await seconds(1);
      await primary.crash();
      await standby.start();
      await standby.promote();
      proxy.redirect(standby.port);
      await seconds(1);
    });
    await app.cast.ready();
    const acknowledged = await app.work(() => seconds(2));
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(await drained(standby.url, acknowledged)).toEqual(clean);
  });
});
