import { execFileSync, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, existsSync, rmSync, appendFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { freePort, hasEnded, spawnProgram, stopChild } from '../../scripts/children.ts';

const READY_WITHIN = 30_000;

/** A Postgres server of the test's own, with the tools that the embedded one does not have: dump, restore, standbys. */
export class Cluster {
  readonly port: number;
  private readonly folder: string;
  private child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** A new, empty server. `settings` as in postgresql.conf. */
  static async create(settings: readonly string[] = []): Promise<Cluster> {
    const cluster = new Cluster(newFolder(), await freePort());
    run('initdb', ['-D', cluster.data, '-A', 'trust', '-U', 'postgres', '--locale=C', '-E', 'UTF8']);
    cluster.configure(['fsync = on', 'max_connections = 200', ...settings]);
    await cluster.start();
    return cluster;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** A standby that follows this server, started. */
  async standby(name: string): Promise<Cluster> {
    const standby = new Cluster(newFolder(), await freePort());
    run('pg_basebackup', ['-D', standby.data, '-d', `host=127.0.0.1 port=${this.port} user=postgres application_name=${name}`, '-R', '-c', 'fast']);
    await standby.start();
    return standby;
  }

  /** Everything in it, in one consistent view, as a file that `restore` takes. */
  dump(): string {
    const file = path.join(this.folder, 'dump');
    run('pg_dump', ['-Fc', '-f', file, this.url]);
    return file;
  }

  /** Loads the dump of another server. */
  restore(file: string): void {
    run('pg_restore', ['--exit-on-error', '-d', this.url, file]);
  }

  configure(settings: readonly string[]): void {
    appendFileSync(path.join(this.data, 'postgresql.conf'), `\n${settings.join('\n')}\n`);
  }

  async start(): Promise<void> {
    const { command, args } = asServerUser(tool('postgres'), ['-D', this.data, '-p', String(this.port), '-h', '127.0.0.1', '-k', this.folder]);
    this.child = spawnProgram(command, args);
    const patience = performance.now() + READY_WITHIN;
    while (!(await this.query('select 1').catch(() => undefined))) {
      if (hasEnded(this.child) || performance.now() > patience) throw new Error(`A Postgres in ${this.data} did not start on port ${this.port}.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends as a power failure would: nothing is written any more. */
  async crash(): Promise<void> {
    // The child may be a program that has started it under another user.
    process.kill(Number(readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGQUIT');
    await stopChild(this.child!);
  }

  async promote(): Promise<void> {
    await this.query('select pg_promote(true, 30)');
  }

  async query<R extends pg.QueryResultRow>(text: string): Promise<R[]> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'nestbox test', connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<R>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    if (this.child && !hasEnded(this.child)) await this.crash();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return path.join(this.folder, 'data');
  }
}

/** The server refuses to be root, and owns its files. */
function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'nestbox-cluster-'));
  const user = serverUser();
  mkdirSync(path.join(folder, 'data'), { mode: 0o700 });
  if (user) for (const place of [folder, path.join(folder, 'data')]) chownSync(place, user.uid, user.gid);
  return folder;
}

function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function asServerUser(command: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  const user = serverUser();
  return user ? { command: 'setpriv', args: [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', command, ...args] } : { command, args };
}

function run(name: string, args: readonly string[]): void {
  const { command, args: all } = asServerUser(tool(name), args);
  execFileSync(command, all, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Where Debian and others put what only belongs to the server. */
function tool(name: string): string {
  const debian = '/usr/lib/postgresql';
  const folders = existsSync(debian) ? readdirSync(debian).toSorted((left, right) => Number(right) - Number(left)).map((version) => path.join(debian, version, 'bin')) : [];
  const found = [...folders, ...(process.env['PATH'] ?? '').split(':')].map((folder) => path.join(folder, name)).find((file) => existsSync(file));
  if (!found) throw new Error(`${name} is missing. Install the PostgreSQL server of your system with its tools (on Debian: apt-get install postgresql).`);
  return found;
}
