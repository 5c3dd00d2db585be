import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const SUBJECT = path.join(import.meta.dirname, 'subject.ts');

/** Instances of the ledger in processes of their own; one that dies is started again, as an orchestrator does. */
export class Instances {
  /** How many have died without having been told to. */
  deaths = 0;
  private readonly running = new Set<ChildProcess>();
  private stopping = false;

  private readonly env: Record<string, string>;

  /** @param env what subject.ts is told */
  constructor(env: Record<string, string>) {
    this.env = env;
  }

  /** Starts instances, and returns when they are ready. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.startOne()));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.running].map(async (child) => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }));
  }

  private async startOne(): Promise<void> {
    const child = fork(SUBJECT, { env: { ...process.env, ...this.env }, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.running.add(child);
    child.once('exit', () => {
      this.running.delete(child);
      if (this.stopping) return;
      this.deaths += 1;
      void this.startOne();
    });
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
  }
}
