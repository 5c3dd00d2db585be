import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, projectRoot } from './application.js';

const COPIED = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.base.json', 'tsconfig.build.json', 'topology.yaml', 'scripts', 'src', 'libs', 'dist'];
const READY_WITHIN_MS = 120_000;

/** The project in a folder of its own, installed and built, with data of its own: a developer's stays as it is. */
export class ProjectCopy {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'nestbox-bench-project-'));

  constructor() {
    // The server of the embedded Postgres has an account of its own, which has to get in.
    chmodSync(this.folder, 0o755);
    for (const name of COPIED) cpSync(path.join(projectRoot, name), path.join(this.folder, name), { recursive: true, preserveTimestamps: true, filter: (file) => path.basename(file) !== 'node_modules' });
    symlinkSync(path.join(projectRoot, 'node_modules'), path.join(this.folder, 'node_modules'));
  }

  /** Runs `npm start` until it is ready, and ends it. Answers how long it took to be ready, in ms. @throws when it ends first */
  async start(): Promise<number> {
    const port = await freePort();
    const { PATH, HOME } = process.env;
    const begun = performance.now();
    const child = spawn('npm', ['start'], { cwd: this.folder, env: { PATH, HOME, PORT: String(port) }, stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await ready(child, `http://127.0.0.1:${port}/health/ready`);
    const took = performance.now() - begun;
    child.kill('SIGTERM');
    await ended;
    return took;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  for (const patience = performance.now() + READY_WITHIN_MS; ; await sleep(10)) {
    const { ok } = await fetch(url).catch(() => ({ ok: false }));
    if (ok) return;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`npm start ended with ${child.signalCode ?? child.exitCode} before it was ready: see above.`);
    if (performance.now() < patience) continue;
    child.kill('SIGTERM');
    throw new Error(`npm start was not ready after ${READY_WITHIN_MS / 1_000} s.`);
  }
}
