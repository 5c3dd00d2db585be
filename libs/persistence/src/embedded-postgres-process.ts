import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerFiles } from './embedded-postgres-files.js';

/** What `postmaster.pid` and the command line of its process say about the server of a data directory. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly status: string;
  /** The process that started it and will stop it. */
  readonly owner: number;
}

const OWNER_MARK = 'cluster_name=nestbox-owner-';

/** The live server of this data directory; a file left by a dead one (or whose number went to another program) is removed. */
export function findServer(files: ServerFiles): RunningServer | undefined {
  const pidFile = path.join(files.cluster, 'postmaster.pid');
  let lines: string[];
  try {
    lines = readFileSync(pidFile, 'utf8').split('\n').map((line) => line.trim());
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  // Postgres writes the file in steps; without a number it is being written.
  if (!(pid > 0)) return undefined;
  const command = isAlive(pid) ? commandLine(pid) : '';
  if (!command.includes(files.cluster)) {
    rmSync(pidFile, { force: true });
    return undefined;
  }
  const owner = Number(command.split(OWNER_MARK)[1]?.match(/^\d+/)?.[0] ?? 0);
  return { pid, port: Number(lines[3] ?? 0), status: lines[7] ?? 'starting', owner };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    // A dead child that nobody has waited for still has a number.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return !existsSync('/proc/self/status');
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
}

/** Starts the server in a session of its own: a Ctrl-C in the terminal must reach the application first. */
export function spawnServer(files: ServerFiles, port: number): ChildProcess {
  // Emptied, then appended to: two starts at the same moment must not write over each other's reasons.
  writeFileSync(files.logFile, '', { mode: 0o600 });
  const log = openSync(files.logFile, 'a');
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    fsync: 'on',
    // Several processes with a pool each share this server in the split topology and in parallel tests.
    max_connections: '300',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // The owner is part of the command line, so it is known exactly as long as the server lives.
  args.push('-c', `${OWNER_MARK}${process.pid}`);
  const child = spawn(path.join(files.native, 'bin', 'postgres'), ['-D', files.cluster, ...args], {
    ...files.account,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.on('error', () => undefined);
  return child;
}

/**
 * Starts a shell that waits for the end of this process, however it ends (its pipe closes even at a SIGKILL), and
 * then stops the server. It holds nothing but the pipe.
 */
export function spawnWatchdog(files: ServerFiles): ChildProcess {
  const script = 'while read -r _; do :; done; read -r pid < "$1/postmaster.pid" && kill -INT "$pid"';
  const child = spawn('/bin/sh', ['-c', script, 'nestbox-postgres-watchdog', files.cluster], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}

/** Waits until `done` answers true; false after the time is up. */
export async function waitUntil(done: () => boolean, milliseconds: number): Promise<boolean> {
  const end = Date.now() + milliseconds;
  while (!done()) {
    if (Date.now() > end) return false;
    await sleep(10);
  }
  return true;
}

/** A port that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
