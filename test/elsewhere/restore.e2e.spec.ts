import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { build } from '../../scripts/build.ts';
import { SubjectProcess } from '../proof/subject-process.ts';
import { Application, clean, drained, seconds } from './application.ts';
import { Cluster } from './cluster.ts';

describe('a dump that was taken at work, restored into a new server', { timeout: 180_000 }, () => {
  const closing: (() => Promise<void>)[] = [];
  beforeAll(() => expect(build()).toBe(true));
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  /** Works on a server of which a dump is taken in the middle, beside a transaction that is open; gives the server of the dump. */
  async function restored(env: Readonly<Record<string, string>>, mode: 'in-process' | 'nats'): Promise<Cluster> {
    const [old, fresh] = [await Cluster.create(), await Cluster.create()];
    closing.push(() => old.close(), () => fresh.close());
    // The old server is older: its transaction ids look to the new one as if they were to come.
    await old.query('do $$ begin for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$');
    const app = new Application({ ...env, DATABASE_URL: old.url }, mode);
    closing.push(() => app.close());
    await app.cast.ready();
    const writer = new pg.Client({ connectionString: old.url });
    writer.on('error', () => undefined);
    await writer.connect();
    let dump = '';
    await app.work(async () => {
      await seconds(1);
      await writer.query("begin; insert into shop.basket values ('open', 1, 1)");
      dump = old.dump();
      await seconds(1);
    });
    await app.cast.kill();
    fresh.restore(dump);
    await old.close();
    return fresh;
  }

  async function goOn(fresh: Cluster, env: Readonly<Record<string, string>>, mode: 'in-process' | 'nats'): Promise<Application> {
    const app = new Application({ ...env, DATABASE_URL: fresh.url }, mode);
    closing.push(() => app.close());
    await app.cast.ready();
    const acknowledged = await app.work(() => seconds(2));
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(await drained(fresh.url, acknowledged)).toEqual(clean);
    return app;
  }

  it('goes on where it was: nothing is lost, doubled or reordered, although transaction ids start again', async () => {
    const fresh = await restored({}, 'in-process');
    const app = await goOn(fresh, {}, 'in-process');
    expect(app.log).toMatch(/The database of "shop" was restored or has failed over/);
    const [{ newest }] = (await fresh.query<{ newest: number }>('select max(n)::float8 newest from shop.log')) as [{ newest: number }];
    expect(newest).toBeGreaterThan(1_000_000_000);
  });

  it('does not start while a stream has events that it has lost, and says what to do; after that it goes on', async () => {
    const namespace = `restore-${randomUUID().slice(0, 8)}`;
    const env = { NATS_URL: process.env['TEST_NATS_URL'] ?? '', NATS_NAMESPACE: namespace };
    const nats = await connect({ servers: env.NATS_URL });
    closing.push(() => nats.close());
    const jsm = await jetstreamManager(nats);
    const deleteStreams = async () => {
      for (const { config } of await jsm.streams.list().next()) if (config.name.startsWith(`${namespace.toUpperCase()}_`)) await jsm.streams.delete(config.name);
    };
    closing.push(deleteStreams);

    const fresh = await restored(env, 'nats');
    const folder = mkdtempSync(path.join(tmpdir(), 'nestbox-elsewhere-'));
    closing.push(async () => rmSync(folder, { recursive: true, force: true }));
    const log = path.join(folder, 'log');
    const refused = new SubjectProcess({ env: { ...env, DATABASE_URL: fresh.url, EVENTS: 'nats', ROLE: 'all', NO_COLOR: '1' }, log });
    expect(await refused.ready()).toBe(false);
    expect(readFileSync(log, 'utf8')).toMatch(/The database of "\w+" was restored or has failed over since[^.]*: its log ends at event \d+, the stream \S+ at \d+\.[\s\S]*delete the streams of all contexts whose databases were restored/);
    expect((await fresh.query('select 1 from desk.shop d where not exists (select 1 from shop.basket b where b.id = d.basket and b.steps >= d.step)'))).toEqual([]);

    await deleteStreams();
    await goOn(fresh, env, 'nats');
  });
});
