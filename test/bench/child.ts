import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A program in a process of its own, whose functions can be called. */
export class Child {
  private readonly waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  private readonly ended: Promise<void>;
  private calls = 0;

  private constructor(private readonly process: ChildProcess, program: string, onEnd: () => void) {
    process.on('message', (answer: Answer) => {
      const call = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (answer.error === undefined) call?.resolve(answer.result);
      else call?.reject(new Error(`${program}: ${answer.error}`));
    });
    this.ended = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        for (const { reject } of this.waiting.values()) reject(new Error(`${program} ended with ${signal ?? code}.`));
        onEnd();
        resolve();
      });
    });
  }

  /** @param profileTo folder for a CPU profile of the process */
  static start(program: string, profileTo: string | undefined, onEnd: () => void): Child {
    const execArgv = profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`];
    const file = fileURLToPath(new URL(`${program}.js`, import.meta.url));
    return new Child(fork(file, { execArgv, serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }), program, onEnd);
  }

  call<T>(name: string, argument?: unknown): Promise<T> {
    const id = this.calls++;
    return new Promise<unknown>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.process.send({ id, name, argument } satisfies Call, (error) => error && reject(error));
    }) as Promise<T>;
  }

  /** Lets it stop what it runs, and waits for its end. */
  async stop(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    await this.ended;
  }
}

/** In a child: answers the parent's calls; `stop` runs when the parent wants no more. */
export function serve(functions: Readonly<Record<string, (argument: never) => unknown>>, stop: () => Promise<void>): void {
  process.on('message', ({ id, name, argument }: Call) => {
    void (async () => {
      try {
        process.send!({ id, result: await functions[name]!(argument as never) } satisfies Answer);
      } catch (error) {
        process.send!({ id, error: (error as Error).stack ?? String(error) } satisfies Answer);
      }
    })();
  });
  process.once('disconnect', () => {
    void stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
