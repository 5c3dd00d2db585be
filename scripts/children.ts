import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './project.ts';

type Output = 'inherit' | 'pipe';

/** How often to look whether the parent is still there. */
const ORPHAN_CHECK_MS = 250;

/**
 * What any program needs to run at all, and nothing else of this process's environment. With the folder of compiled
 * code, if there is one: a process that has started before starts a fifth faster.
 */
export function bareEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'NODE_COMPILE_CACHE'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

/** Starts the built application; it ends when this process does, however that happens. */
export function spawnApplication(env: NodeJS.ProcessEnv, output: Output): ChildProcess {
  const preload = pathToFileURL(path.join(projectRoot, 'scripts', 'die-with-parent.mjs')).href;
  const stdio: StdioOptions = ['ignore', output, output, 'ipc'];
  return spawn(process.execPath, ['--import', preload, path.join(projectRoot, 'dist', 'main.js')], { cwd: projectRoot, env, detached: true, stdio });
}

/** Starts any other program, with a shell beside it that ends it when this process is gone. */
export function spawnProgram(command: string, args: readonly string[], output: Output | 'ignore' = 'ignore'): ChildProcess {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', output, output] });
  if (child.pid === undefined) return child;
  const script = 'while read -r _; do :; done; kill -TERM "$1"';
  const watchdog = spawn('/bin/sh', ['-c', script, 'nestbox-watchdog', String(child.pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  child.once('exit', () => watchdog.kill('SIGKILL'));
  return child;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** The exit code, as a shell gives it. */
export function ended(child: ChildProcess): Promise<number> {
  const code = () => child.exitCode ?? (child.signalCode === null ? 1 : 128 + (SIGNAL_NUMBERS[child.signalCode] ?? 0));
  if (hasEnded(child)) return Promise.resolve(code());
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    // Not `exit`: what the child has printed must be out before anything is said about its end.
    child.once('close', () => resolve(code()));
  });
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** Asks a child to end, and ends it by force when it does not. */
export async function stopChild(child: ChildProcess, patienceMs = 30_000): Promise<number> {
  if (!hasEnded(child)) child.kill('SIGTERM');
  // A frozen process gets the signal only after it is thawed.
  if (!hasEnded(child)) child.kill('SIGCONT');
  const force = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const code = await ended(child);
  clearTimeout(force);
  return code;
}

/** A port of the loopback address that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Calls `stop` once, at the first signal. A second signal after a second means that the person does not want to wait:
 * `force` is called. (One Ctrl-C can arrive twice, from the terminal and from npm.)
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void, force: () => void): void {
  let first = 0;
  const begin = (signal: NodeJS.Signals) => {
    first = Date.now();
    stop(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (first === 0) begin(signal);
      else if (Date.now() - first > 1000) force();
    });
  }
  // Under npm an orphan was meant, too: a killed npm forwards nothing. Without npm, a closed shell means nothing.
  const parent = process.ppid;
  const orphaned = setInterval(() => {
    if (process.ppid === parent || !process.env['npm_lifecycle_event']) return;
    clearInterval(orphaned);
    if (first === 0) begin('SIGTERM');
  }, ORPHAN_CHECK_MS);
  orphaned.unref();
}
