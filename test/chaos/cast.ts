import { SubjectProcess } from '../proof/subject-process.ts';
import type { Mode } from './schedule.ts';
import { within } from './within.ts';

const STARTS_WITHIN = 60_000;

/** The services of each mode, instance by instance. */
const ROLES: Readonly<Record<Mode, readonly string[]>> = {
  'in-process': ['all', 'all'],
  nats: ['all', 'all'],
  split: ['gateway', 'shop', 'shop', 'desk', 'desk', 'audit'],
};

/** Who takes the commands. */
const ENTRANCES: Readonly<Record<Mode, string>> = { 'in-process': 'all', nats: 'all', split: 'gateway' };

/** One instance of a service, started again whenever it has died. */
export interface Actor {
  readonly role: string;
  process: SubjectProcess;
  /** Not to be started again for the time being. */
  held: boolean;
}

/** The processes of the application under chaos, with a supervisor. */
export class Cast {
  readonly actors: Actor[];
  private readonly mode: Mode;
  private readonly start: (role: string) => SubjectProcess;
  private readonly supervisor: NodeJS.Timeout;

  constructor(mode: Mode, start: (role: string) => SubjectProcess) {
    this.mode = mode;
    this.start = start;
    this.actors = ROLES[mode].map((role) => ({ role, process: start(role), held: false }));
    this.supervisor = setInterval(() => this.revive(), 100);
  }

  /** Any process that takes commands and is not dead. */
  entrance(turn: number): SubjectProcess | undefined {
    const running = this.actors.filter(({ role, process }) => role === ENTRANCES[this.mode] && process.running);
    return running[turn % Math.max(1, running.length)]?.process;
  }

  /** Waits until every instance works. */
  async ready(): Promise<void> {
    for (const actor of this.actors) {
      actor.held = false;
      for (const patience = performance.now() + STARTS_WITHIN; !(await within(STARTS_WITHIN, actor.process.ready(), `"${actor.role}" is to become ready`)); ) {
        if (performance.now() > patience) throw new Error(`"${actor.role}" does not start.`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  /** Ends all of them as a deployment would. */
  async stop(): Promise<void> {
    clearInterval(this.supervisor);
    for (const { process } of this.actors) process.signal('SIGTERM');
    await Promise.all(this.actors.map(({ process }) => process.over));
  }

  async kill(): Promise<void> {
    clearInterval(this.supervisor);
    await Promise.all(this.actors.map(({ process }) => process.kill()));
  }

  private revive(): void {
    for (const actor of this.actors) if (!actor.held && !actor.process.running) actor.process = this.start(actor.role);
  }
}
