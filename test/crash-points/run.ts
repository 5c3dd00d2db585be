import { type Census, type Fate, takeCensus } from './census.ts';
import { type Break, dieAll } from './deaths.ts';
import type { Death } from './death.ts';
import { scenarios } from './scenarios.ts';
import { type Mode, Stage } from './stage.ts';
import type { Theatre } from './theatre.ts';

export interface RunOptions {
  readonly mode: Mode;
  /** Only these deaths. */
  readonly wanted?: (death: Death) => boolean;
  /** Only scenarios whose names this matches; what the others would have passed is not missed then. */
  readonly scenario?: RegExp;
  /** Stages that are played on at a time. */
  readonly parallel: number;
  readonly note: (line: string) => void;
}

/** What killing has shown. */
export interface Report {
  readonly mode: Mode;
  readonly points: number;
  readonly deaths: readonly Death[];
  /** The same, counted by side and pass. */
  readonly killed: { readonly asked1: number; readonly answered1: number; readonly asked2: number; readonly answered2: number };
  /** Sides of points that a process passes once in its life. */
  readonly once: number;
  readonly excepted: Census['excepted'];
  readonly missed: readonly string[];
  readonly problems: readonly string[];
  readonly breaks: readonly Break[];
  readonly seconds: number;
}

/** Kills the process at every crash point of a mode, restarts it, and asks the oracle. */
export async function killEverywhere(theatre: Theatre, options: RunOptions): Promise<Report> {
  const { mode, wanted = () => true, scenario, parallel, note } = options;
  const started = performance.now();
  const template = await Stage.open(theatre, mode);
  try {
    await migrate(template);
    const chosen = scenarios.filter(({ name }) => !scenario || scenario.test(name));
    const census = await takeCensus(theatre, mode, template, chosen, parallel);
    note(`${mode}: ${census.points.length} crash points, ${census.fates.length} deaths to die`);
    const fates = census.fates.filter(({ death }) => wanted(death));
    const { killed, missed, breaks } = await dieAll(theatre, mode, template, fates, parallel, note);
    return {
      mode, points: census.points.length, once: census.once, excepted: census.excepted, breaks,
      deaths: killed.map(({ death }) => death),
      killed: { asked1: count(killed, 'asked', 1), answered1: count(killed, 'answered', 1), asked2: count(killed, 'asked', 2), answered2: count(killed, 'answered', 2) },
      missed: missed.map(({ death: { name, side, pass }, scenario: { name: where } }) => `${name} (${side}, pass ${pass}) in "${where}"`),
      problems: [...census.failures, ...(scenario ? [] : census.problems)],
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } finally {
    await template.close();
  }
}

async function migrate(template: Stage): Promise<void> {
  const first = template.start();
  if (!(await first.ready())) throw new Error(`The application does not start: see ${template.log}`);
  first.signal('SIGTERM');
  await first.over;
  await template.disconnect();
}

function count(fates: readonly Fate[], side: string, pass: number): number {
  return fates.filter(({ death }) => death.side === side && death.pass === pass).length;
}
