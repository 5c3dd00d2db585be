import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Death, Side } from './death.ts';
import type { Mode, Stage } from './stage.ts';
import type { SubjectProcess } from '../proof/subject-process.ts';
import type { Wish } from '../proof/subject.ts';
import { isClean } from '../proof/verdict.ts';

/** Makes the application pass crash points that ordinary work does not pass. */
export interface Scenario {
  readonly name: string;
  /** Makes no sense in the other mode. */
  readonly only?: Mode;
  /** Not one that others have lived on: the database is new, or not even migrated. */
  readonly stage?: 'new' | 'empty';
  play(life: Life): Promise<void>;
}

/** Longer than a lease lives, in ms. */
export const PAST_THE_LEASE = 2_600;

/** The target is dead: the scenario need not go on. */
class LifeOver extends Error {}

const MANNERS: readonly Wish['manner'][] = ['plain', 'again', 'pair', 'plain', 'nested', 'query', 'apart', 'plain', 'undone'];
const TENANTS = 3;
const BASKETS = 4;
const LOOK_EVERY = 25;
const STEP_PATIENCE = 120_000;
/** Longer than any scenario takes, several at a time on few cores, in ms: whatever still runs then hangs. */
const LIFE_PATIENCE = 300_000;
let lives = 0;

/** One playing of a scenario: the target process passes its crash points and dies at one, unless it is only watched. */
export class Life {
  readonly stage: Stage;
  private readonly death: Death | undefined;
  private readonly journal: string;
  private targetProcess: SubjectProcess | undefined;
  private wishes = 0;

  constructor(stage: Stage, death?: Death) {
    this.stage = stage;
    this.death = death;
    this.journal = path.join(stage.theatre.folder, `journal-${++lives}`);
  }

  /** Plays it to its end or the target's. Returns whether the target died where it should; what else ran is killed. */
  async play(scenario: Scenario): Promise<boolean> {
    let hangs = false;
    const overdue = setTimeout(() => {
      hangs = true;
      void this.stage.killAll();
    }, LIFE_PATIENCE);
    const failed = (message: string, cause?: unknown) => new Error(`Scenario ${scenario.name}, ${this.death ? JSON.stringify(this.death) : 'watched'}: ${message} See ${this.stage.log}`, { cause });
    try {
      await scenario.play(this);
    } catch (error) {
      if (!hangs && !(error instanceof LifeOver)) throw failed((error as Error).message, error);
    } finally {
      clearTimeout(overdue);
      await this.stage.killAll();
    }
    if (hangs) throw failed(`It had not ended after ${LIFE_PATIENCE / 1000} s.`);
    return this.died;
  }

  /** The sides of crash points that the target has passed: `[side, point, pass]`. */
  passed(): [Side, string, number][] {
    return this.entries().filter(([what]) => what === 'passed').map(([, pass, side, name]) => [side as Side, name!, Number(pass)]);
  }

  /** Starts the process that is to die, and waits until it is ready. */
  async target(options: { readonly role?: string; readonly natsUrl?: string; readonly databaseUrl?: string } = {}): Promise<SubjectProcess> {
    const started = this.launch(options);
    if (!(await started.ready())) this.goOn();
    return started;
  }

  /** The same for a process that ends by itself, or does not get ready at once. */
  launch(options: { readonly role?: string; readonly natsUrl?: string; readonly databaseUrl?: string } = {}): SubjectProcess {
    const { theatre } = this.stage;
    const crash = { CRASH_ENGINE: theatre.engine, CRASH_JOURNAL: this.journal, ...(this.death && { CRASH_AT: JSON.stringify(this.death) }) };
    this.targetProcess = this.stage.start({ ...options, crash });
    return this.targetProcess;
  }

  /** Starts another process, which nothing happens to unless the scenario does it. */
  async helper(role = 'all'): Promise<SubjectProcess> {
    const started = this.stage.start({ role });
    if (!(await started.ready())) throw new Error('A helper did not start.');
    return started;
  }

  /** Commands and queries of several clients at a time, one after the other in each, on few baskets. */
  async load(process: SubjectProcess, clients: number, each: number): Promise<void> {
    await Promise.all(
      Array.from({ length: clients }, async () => {
        for (let i = 0; i < each && process.running; i++) await this.wish(process);
      }),
    );
  }

  /** One command or query; what is not said goes by turns. Resolves with the steps that it was answered with. */
  async wish(process: SubjectProcess, said: { readonly basket?: string; readonly times?: number; readonly manner?: Wish['manner']; readonly key?: string } = {}): Promise<number | undefined> {
    const number = this.wishes++;
    const name = said.basket ?? `t${number % TENANTS}-b${Math.floor(number / TENANTS) % BASKETS}`;
    const [tenant = ''] = name.split('-');
    const manner = said.manner ?? MANNERS[number % MANNERS.length]!;
    const steps = await process.ask({ tenant, basket: name, times: said.times ?? 1 + (number % 3), manner, ...(said.key !== undefined && { key: said.key }) });
    const { acknowledged } = this.stage;
    if (steps !== undefined && !['query', 'replay', 'edit', 'skip', 'retain'].includes(manner)) acknowledged.set(name, Math.max(steps, acknowledged.get(name) ?? 0));
    return steps;
  }

  /** Waits until something is so, as long as the target lives. @throws when it does not come true */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const patience = performance.now() + STEP_PATIENCE;
    while (!(await condition())) {
      this.goOn();
      if (performance.now() > patience) throw new Error(`Waited in vain until ${what}.`);
      await this.pause(LOOK_EVERY);
    }
  }

  /** Lets the handler of these baskets fail until they are repaired. */
  async break(how: 'throws' | 'kills' | 'blocks', ...baskets: string[]): Promise<void> {
    for (const basket of baskets) await this.stage.sql('insert into desk.broken values ($1, $2) on conflict do nothing', [basket, how]);
  }

  /** Whether a living process owns lanes of `desk`. */
  async lanesAreOwned(): Promise<boolean> {
    const owned = await this.stage.sql(`select 1 from (select distinct on (reader, source, lane) owner from desk.cursor where reader = 'desk' order by reader, source, lane, gen desc) c
      join nb.member m on m.instance = c.owner and m.until > clock_timestamp()`);
    return owned.length > 0;
  }

  /** Waits until all effects are there, while a person asks for whatever fails for good to be tried again: an event that is at work at several deaths is a suspect. */
  drained(): Promise<void> {
    return this.until('all effects are there', async () => {
      await this.stage.replayDead();
      return isClean(await this.stage.judge());
    });
  }

  async pause(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.goOn();
  }

  private goOn(): void {
    if (this.targetProcess && !this.targetProcess.running && this.died) throw new LifeOver();
  }

  private get died(): boolean {
    return this.targetProcess?.killed === true && this.entries().some(([what]) => what === 'died');
  }

  private entries(): string[][] {
    if (!existsSync(this.journal)) return [];
    return readFileSync(this.journal, 'utf8').split('\n').filter(Boolean).map((line) => line.split('\t'));
  }
}
