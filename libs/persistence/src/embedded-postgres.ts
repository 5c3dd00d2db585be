import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '@nestbox/kernel';
import { describe, giveTo, placeServer } from './embedded-postgres-files.js';
import type { ServerFiles } from './embedded-postgres-files.js';
import { findServer, freePort, isAlive, spawnServer, spawnWatchdog, waitUntil } from './embedded-postgres-process.js';
import type { RunningServer } from './embedded-postgres-process.js';

export interface EmbeddedPostgresOptions {
  /** Where the data stays between starts. As root under a private folder it moves to /var/tmp; see `dataDir` of the result. */
  readonly dataDir: string;
  /** Default: any free port. */
  readonly port?: number;
}

/**
 * A real Postgres for development and tests, from server binaries in npm packages: no installation, no container.
 *
 * The server of a data directory is shared: who starts it owns it and stops it; a second process that asks for the
 * same directory meanwhile gets the same server and leaves it running. When the owner dies, even by SIGKILL, a
 * watchdog stops the server.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly files: ServerFiles,
    private readonly pid: number,
    private readonly watchdog: ChildProcess | undefined,
    /** Connection string of the server, with its password. */
    readonly url: string,
  ) {}

  /** Where the data really is. */
  get dataDir(): string {
    return this.files.dataDir;
  }

  /** Starts the server of this data directory, or joins it when it runs; creates the data at the first time. */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const files = placeServer(path.resolve(options.dataDir));
    for (let attempt = 1; ; attempt++) {
      const running = await settle(files);
      if (running) return new EmbeddedPostgres(files, running.pid, undefined, url(files, running.port));
      createData(files);
      const port = options.port ?? (await freePort());
      const child = spawnServer(files, port);
      const watchdog = spawnWatchdog(files);
      const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
      await waitUntil(() => ended() || isReady(files, child.pid), 60_000);
      if (!ended() && isReady(files, child.pid)) {
        child.unref();
        return new EmbeddedPostgres(files, child.pid!, watchdog, url(files, port));
      }
      if (!ended()) child.kill('SIGQUIT');
      watchdog.kill('SIGKILL');
      const log = readFileSync(files.logFile, 'utf8');
      if (!isPassing(log, options.port !== undefined) || attempt === 5) throw startError(files, log, port);
      await sleep(200 * attempt);
    }
  }

  /** Fast shutdown: sessions are ended, everything committed is on disk, no process is left. */
  async stop(): Promise<void> {
    if (!this.watchdog) return;
    for (const [signal, patience] of [['SIGINT', 20_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]] as const) {
      if (!isAlive(this.pid)) break;
      process.kill(this.pid, signal);
      if (await waitUntil(() => !isAlive(this.pid), patience)) break;
    }
    this.watchdog.kill('SIGKILL');
  }
}

/**
 * The running server once it is ready, or undefined. One whose owner has died is stopped first: its watchdog is
 * about to do the same, so it must not be joined.
 */
async function settle(files: ServerFiles): Promise<RunningServer | undefined> {
  let server: RunningServer | undefined;
  await waitUntil(() => {
    server = findServer(files);
    if (!server) return true;
    if (isAlive(server.owner)) return server.status === 'ready';
    process.kill(server.pid, 'SIGINT');
    return false;
  }, 30_000);
  return server;
}

/** Failures that go away: a port taken since the probe, memory of a killed server, a second start at the same moment. */
function isPassing(log: string, portIsFixed: boolean): boolean {
  return /shared memory (block|segment)|lock file .* (already exists|is empty)/.test(log) || (!portIsFixed && /Address already in use/.test(log));
}

function isReady(files: ServerFiles, pid: number | undefined): boolean {
  const server = findServer(files);
  return server !== undefined && server.pid === pid && server.status === 'ready';
}

function url(files: ServerFiles, port: number): string {
  return `postgres://postgres:${readFileSync(files.passwordFile, 'utf8').trim()}@127.0.0.1:${port}/postgres`;
}

/** Creates the data beside its place and renames it, so that an interrupted creation leaves nothing half-made. */
function createData(files: ServerFiles): void {
  if (existsSync(path.join(files.cluster, 'PG_VERSION'))) return;
  if (existsSync(files.dataDir)) {
    throw new UsageError(`${files.dataDir} is not the data of an embedded Postgres that this user may open.`, 'move it away, or set DATABASE_URL.');
  }
  const part = describe(files.native, `${files.dataDir}.part-${process.pid}`, files.account);
  try {
    removeLeftovers(files.dataDir);
    mkdirSync(part.dataDir, { mode: 0o700 });
    writeFileSync(part.passwordFile, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
    for (const file of [part.dataDir, part.passwordFile]) giveTo(files.account, file);
    initialise(part);
    renameSync(part.dataDir, files.dataDir);
  } catch (error) {
    rmSync(part.dataDir, { recursive: true, force: true });
    // Another start was faster at the same moment: its data is as good.
    if (existsSync(path.join(files.cluster, 'PG_VERSION'))) return;
    const output = (error as Error).message;
    throw new UsageError(`The embedded Postgres could not create its data in ${files.dataDir}: ${reason(output)}.`, cureFor(output));
  }
}

/** Half-made data of starts that were killed, and of this process itself. */
function removeLeftovers(dataDir: string): void {
  const prefix = `${path.basename(dataDir)}.part-`;
  for (const name of readdirSync(path.dirname(dataDir))) {
    const maker = Number(name.slice(prefix.length));
    if (!name.startsWith(prefix) || (maker !== process.pid && isAlive(maker))) continue;
    rmSync(path.join(path.dirname(dataDir), name), { recursive: true, force: true });
  }
}

function initialise(part: ServerFiles): void {
  const account = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${part.passwordFile}`];
  // The locale is built into the server: the same on every machine, whatever is installed there.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const run = spawnSync(path.join(part.native, 'bin', 'initdb'), [`--pgdata=${part.cluster}`, ...account, ...locale, '--no-instructions'], {
    ...part.account,
    cwd: '/',
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (run.status !== 0) throw run.error ?? new Error(run.stderr);
}

function startError(files: ServerFiles, log: string, port: number): UsageError {
  if (/Address already in use/.test(log)) {
    return new UsageError(`The embedded Postgres could not start: port ${port} is in use.`, 'choose another port, or none for any free one.');
  }
  return new UsageError(`The embedded Postgres could not start: ${reason(log)}.`, `${cureFor(log)} The whole log: ${files.logFile}.`);
}

function reason(output: string): string {
  const lines = output.split('\n').map((line) => line.trim()).filter(Boolean);
  const telling = lines.find((line) => /No space left|ENOSPC|Disk quota|wrote only|Permission denied|EACCES/.test(line)) ?? lines.find((line) => /(FATAL|PANIC|error):/i.test(line)) ?? lines.at(-1);
  return (telling ?? 'no output').replace(/^.*?(FATAL|PANIC|error):\s*/i, '').replace(/\.$/, '');
}

function cureFor(output: string): string {
  if (/No space left|ENOSPC|Disk quota|wrote only/.test(output)) return 'the disk is full: free about 200 MB and start again.';
  if (/Permission denied|EACCES/.test(output)) return 'make the folder writable, or set DATABASE_URL to a Postgres of your own.';
  if (/incompatible with server/.test(output)) return 'the data is of another Postgres version: move it away, or set DATABASE_URL to a server of that version.';
  return 'see the reason, or set DATABASE_URL to a Postgres of your own.';
}
