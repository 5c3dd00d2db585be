import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EmbeddedPostgres } from './embedded-postgres.js';
import { isAlive } from './embedded-postgres-process.js';

async function query<T>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    await client.end();
  }
}

const postmasterPid = (dataDir: string) => Number(readFileSync(path.join(dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);

async function eventually(check: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !check(); i++) await sleep(10);
  expect(check()).toBe(true);
}

describe('EmbeddedPostgres', () => {
  let home: string;
  const cleanUp: (() => unknown)[] = [];

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'nestbox-pg-'));
    // A server started by root runs as another account, which has to get through here.
    execFileSync('chmod', ['755', home]);
  });

  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
    rmSync(home, { recursive: true, force: true });
  });

  async function start(dataDir = path.join(home, 'postgres')): Promise<EmbeddedPostgres> {
    const server = await EmbeddedPostgres.start({ dataDir });
    cleanUp.push(() => server.stop());
    return server;
  }

  /** Another process that starts the server of the same directory and then sleeps. */
  async function startElsewhere(dataDir: string): Promise<ChildProcess> {
    const module = fileURLToPath(new URL('../dist/embedded-postgres.js', import.meta.url));
    const program = `const { EmbeddedPostgres } = await import(${JSON.stringify(module)});
      const server = await EmbeddedPostgres.start({ dataDir: ${JSON.stringify(dataDir)} });
      console.log(server.url); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanUp.push(() => child.kill('SIGKILL'));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  }

  test('keeps data across starts, durably, on the loopback address only, behind a random password', async () => {
    const first = await start();
    await query(first.url, 'create table kept (id int); insert into kept values (7)');
    const settings = await query<{ name: string; setting: string }>(
      first.url,
      `select name, setting from pg_settings where name in ('fsync', 'listen_addresses', 'unix_socket_directories') order by name`,
    );
    expect(settings.map(({ setting }) => setting)).toEqual(['on', '127.0.0.1', '']);
    const wrong = new URL(first.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    expect(statSync(path.join(first.dataDir, 'password')).mode & 0o777).toBe(0o600);
    const pid = postmasterPid(first.dataDir);
    await first.stop();
    expect(isAlive(pid)).toBe(false);

    const second = await start();
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 7 }]);
  });

  test('a second start joins the running server and leaves it running', async () => {
    const owner = await start();
    const guest = await start();
    expect(guest.url).toBe(owner.url);
    await guest.stop();
    expect(await query(owner.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('two starts at the same moment share one server', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    expect(a.url).toBe(b.url);
  });

  test('when the owner is killed the watchdog stops the server', async () => {
    const dataDir = path.join(home, 'postgres');
    const owner = await startElsewhere(dataDir);
    const pid = postmasterPid(dataDir);
    owner.kill('SIGKILL');
    await eventually(() => !isAlive(pid));
  });

  test('a start right after the owner was killed gets a server that stays', async () => {
    const dataDir = path.join(home, 'postgres');
    const owner = await startElsewhere(dataDir);
    const pid = postmasterPid(dataDir);
    owner.kill('SIGKILL');
    await new Promise((resolve) => owner.once('exit', resolve));
    const next = await start(dataDir);
    expect(postmasterPid(dataDir)).not.toBe(pid);
    expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('a server that was killed, or a pid file whose number now belongs to another program, is in nobody’s way', async () => {
    const first = await start();
    const dataDir = first.dataDir;
    const pidFile = path.join(dataDir, 'cluster', 'postmaster.pid');
    process.kill(postmasterPid(dataDir), 'SIGKILL');
    await first.stop();
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid)));
    const second = await start();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('works in a folder that no other account may enter, and finds the data there again', async () => {
    execFileSync('chmod', ['700', home]);
    const first = await start();
    cleanUp.unshift(() => rmSync(first.dataDir, { recursive: true, force: true }));
    await query(first.url, 'create table kept (id int)');
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'select id from kept')).toEqual([]);
  });

  test('says what is wrong: the port, the folder', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    cleanUp.push(() => taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    await expect(EmbeddedPostgres.start({ dataDir: path.join(home, 'postgres'), port })).rejects.toThrow(`port ${port} is in use`);

    writeFileSync(path.join(home, 'foreign'), '');
    await expect(EmbeddedPostgres.start({ dataDir: path.join(home, 'foreign') })).rejects.toThrow(/is not the data of an embedded Postgres/);
  });
});
