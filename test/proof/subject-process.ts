import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { bareEnvironment, ended, hasEnded } from '../../scripts/children.ts';
import type { Wish } from './subject.ts';

/** What the process says: that it is ready, what a wish has come to, or what a rebuild has. */
type Word = { ready: true } | { rebuilt: number | string } | { id: number; steps?: number; error?: string };

export interface SubjectOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Gets everything that it prints. */
  readonly log: string;
  /** Loaded before everything else. */
  readonly preload?: URL;
  /** The program, in place of the whole application. */
  readonly program?: URL;
}

/** How long it may take to start, in ms. */
const READY_WITHIN = 120_000;

/** One process of the application under test. */
export class SubjectProcess {
  private readonly child: ChildProcess;
  private readonly asked = new Map<number, (word: { steps?: number }) => void>();
  private readonly readiness = Promise.withResolvers<boolean>();
  private nextId = 0;
  /** The answer of a `rebuild`. */
  rebuilt: number | string | undefined;
  /** Resolves when it has ended, however that happened. */
  readonly over: Promise<void>;

  constructor({ env, log, preload, program = new URL('./subject.ts', import.meta.url) }: SubjectOptions) {
    const output = openSync(log, 'a');
    this.child = fork(program, [], {
      execArgv: preload ? ['--import', preload.href] : [],
      env: { ...bareEnvironment(), ...env },
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.child.on('message', (word: Word) => this.hear(word));
    this.over = ended(this.child).then(() => {
      this.readiness.resolve(false);
      for (const answer of this.asked.values()) answer({});
      this.asked.clear();
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return !hasEnded(this.child);
  }

  /** Whether it was ended by SIGKILL. */
  get killed(): boolean {
    return this.child.signalCode === 'SIGKILL';
  }

  /** Resolves when it has started; false when it ended before, or was ended because it took too long. */
  async ready(): Promise<boolean> {
    const overdue = setTimeout(() => void this.kill(), READY_WITHIN);
    return this.readiness.promise.finally(() => clearTimeout(overdue));
  }

  /** Sends a command or query; the steps that it was answered with, undefined when it failed or the process died. */
  async ask(wish: Omit<Wish, 'id'>): Promise<number | undefined> {
    if (!this.running || !this.child.connected) return undefined;
    const id = this.nextId++;
    const { promise, resolve } = Promise.withResolvers<{ steps?: number }>();
    this.asked.set(id, resolve);
    this.child.send({ id, ...wish }, () => undefined);
    const { steps } = await promise;
    this.asked.delete(id);
    return steps;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.over;
  }

  private hear(word: Word): void {
    if ('ready' in word) this.readiness.resolve(true);
    else if ('rebuilt' in word) this.rebuilt = word.rebuilt;
    else this.asked.get(word.id)?.(word);
  }
}
