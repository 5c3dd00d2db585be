import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, hasEnded, spawnApplication, stopChild } from './children.ts';

const READY_WITHIN_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

export interface AppProcessOptions {
  readonly service: string;
  /** 1, 2, … among the processes of the same service. */
  readonly instance: number;
  readonly env: NodeJS.ProcessEnv;
  /** Where it answers 200 when it is ready. */
  readonly healthPath: string;
  /** Start it again when it ends by itself. */
  readonly restart: boolean;
  readonly log: (process: AppProcess, line: string) => void;
}

/** One process of the application, started again when it dies, until it is stopped. */
export class AppProcess {
  readonly service: string;
  readonly instance: number;
  #options: AppProcessOptions;
  #child: ChildProcess | undefined;
  #url: string | undefined;
  #stopping = false;
  #wasReady = false;
  #lastLine = '';
  #pause = FIRST_PAUSE_MS;

  constructor(options: AppProcessOptions) {
    this.#options = options;
    this.service = options.service;
    this.instance = options.instance;
  }

  /** Process id; another one after a restart. */
  get pid(): number | undefined {
    return this.#child && !hasEnded(this.#child) ? this.#child.pid : undefined;
  }

  /** Where its HTTP server answers, once it does. With port 0 another one after a restart. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Starts it and waits until it is ready. @throws Error when it ends first, or is not ready within a minute */
  async start(): Promise<void> {
    this.#run();
    for (const patience = Date.now() + READY_WITHIN_MS; !(await this.isReady()); await sleep(50)) {
      if (this.#stopping) return;
      if (hasEnded(this.#child!)) throw new Error(this.#lastLine || `${this.service} ended with code ${await ended(this.#child!)} before it was ready.`);
      if (Date.now() > patience) throw new Error(`${this.service} was not ready after ${READY_WITHIN_MS / 1000} s.`);
    }
    this.#wasReady = true;
  }

  /** Asks the health check. */
  async isReady(): Promise<boolean> {
    if (this.#url === undefined || this.pid === undefined) return false;
    const answer = fetch(`${this.#url}${this.#options.healthPath}`, { signal: AbortSignal.timeout(2_000) });
    return answer.then(({ ok }) => ok).catch(() => false);
  }

  /** Sends a signal. What dies of it is started again, if the restart policy says so. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it in order, for good. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child) await stopChild(this.#child);
  }

  #run(): void {
    const child = spawnApplication(this.#options.env, 'pipe');
    const started = Date.now();
    this.#child = child;
    this.#url = undefined;
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastLine = line;
        const port = /http:\/\/localhost:(\d+)\/health\//.exec(line)?.[1];
        if (port !== undefined) this.#url ??= `http://127.0.0.1:${port}`;
        this.#options.log(this, line);
      });
    }
    void ended(child).then((code) => this.#restartAfter(code, Date.now() - started));
  }

  async #restartAfter(code: number, livedMs: number): Promise<void> {
    // What has never been ready has a mistake in its settings; its starter says so, and trying again would not help.
    if (this.#stopping || !this.#wasReady) return;
    if (!this.#options.restart) return this.#options.log(this, `ended with code ${code}`);
    this.#pause = livedMs > 30_000 ? FIRST_PAUSE_MS : Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    this.#options.log(this, `ended with code ${code}; it starts again in ${this.#pause / 1000} s`);
    await sleep(this.#pause);
    if (!this.#stopping) this.#run();
  }
}
