import { execFileSync, spawnSync } from 'node:child_process';

/** Debian puts servers where the PATH of a user does not look. */
const PLACES = ['', '/usr/sbin/', '/usr/local/bin/', '/usr/local/sbin/'];

/** Where a program is; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return PLACES.map((place) => place + name).find((program) => spawnSync(program, ['--version']).status === 0);
}

/** Installs a package, as root on Debian. @throws with `how` to get it when that is not possible */
export function installFromApt(name: string, how: string): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) throw new Error(`${name} is missing. ${how}`);
  console.log(`Installing ${name} with apt-get …`);
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    throw new Error(`apt-get could not install ${name}. ${how}`);
  }
}
