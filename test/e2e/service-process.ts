import type { ChildProcess } from 'node:child_process';
import { bareEnvironment, ended, spawnApplication, stopChild } from '../../scripts/children.ts';

/** How long a process may take until it is ready, in ms: generous, because several start at once on few cores. */
const READY_WITHIN = 120_000;
/** How many lines of its output are kept for error messages. */
const KEPT_LINES = 60;

/** The built application as one process of its own: one service of the topology. */
export class ServiceProcess {
  private readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private killed = false;
  /** Where its HTTP server answers. */
  url = '';

  private constructor(
    readonly name: string,
    readonly env: Readonly<Record<string, string>>,
  ) {
    this.child = spawnApplication({ ...bareEnvironment(), ...env }, 'pipe');
  }

  /** Starts a process and waits until it is ready. @throws with its last output when it does not get there */
  static async start(name: string, env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
    const service = new ServiceProcess(name, { HOST: '127.0.0.1', PORT: '0', ...env });
    try {
      service.url = await service.banner();
      await service.ready();
      return service;
    } catch (error) {
      await service.kill('SIGKILL');
      throw error;
    }
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends a signal that ends the process, and waits until it has ended. */
  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.killed = true;
    this.child.kill(signal);
    await ended(this.child);
  }

  /** Stops the process so that it is still there, but does nothing; or lets it go on. */
  freeze(frozen: boolean): void {
    this.child.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Ends it in order. @throws when it was not running any more, or did not end cleanly */
  async stop(): Promise<void> {
    if (this.killed) return;
    if (!this.running) throw new Error(this.explain('ended by itself'));
    const code = await stopChild(this.child);
    if (code !== 0) throw new Error(this.explain(`ended with code ${code} when it was asked to stop`));
  }

  /** The address that it prints when it listens. */
  private banner(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(this.explain('did not say where it listens'))), READY_WITHIN);
      const read = (chunk: Buffer) => {
        this.lines.push(...chunk.toString().split('\n').filter(Boolean));
        this.lines.splice(0, this.lines.length - KEPT_LINES);
        const found = /Health\s+http:\/\/localhost:(\d+)\//.exec(this.lines.join('\n'));
        if (found) settle(() => resolve(`http://127.0.0.1:${found[1]}`));
      };
      const settle = (how: () => void) => {
        clearTimeout(timer);
        how();
      };
      this.child.stdout!.on('data', read);
      this.child.stderr!.on('data', read);
      void ended(this.child).then((code) => settle(() => reject(new Error(this.explain(`ended with code ${code} before it was ready`)))));
    });
  }

  private async ready(): Promise<void> {
    const patience = performance.now() + READY_WITHIN;
    for (;;) {
      const { ok } = await fetch(`${this.url}/health/ready`).catch(() => ({ ok: false }));
      if (ok) return;
      if (!this.running || performance.now() > patience) throw new Error(this.explain('did not become ready'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private explain(what: string): string {
    return `The service "${this.name}" ${what}. Its last output:\n${this.lines.join('\n')}`;
  }
}
