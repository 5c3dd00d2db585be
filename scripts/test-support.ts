import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** True while a process with this number exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The processes that a process has started itself. */
export function childrenOf(pid: number): number[] {
  return parents().filter(([, parent]) => parent === pid).map(([child]) => child);
}

function parents(): [child: number, parent: number][] {
  const rows = existsSync('/proc/self/stat') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(fromProc) : fromPs();
  return rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
}

function fromProc(pid: string): string {
  try {
    // The name of the program, in parentheses, may have spaces in it.
    return `${pid} ${readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) \S /s, '').split(' ')[0]}`;
  } catch {
    return `${pid} 0`;
  }
}

function fromPs(): string[] {
  return spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout.trim().split('\n');
}
