import type { Fate } from './census.ts';
import { inParallel } from './in-parallel.ts';
import { Life } from './life.ts';
import { type Mode, Stage } from './stage.ts';
import type { Theatre } from './theatre.ts';
import { isClean, type Verdict } from '../proof/verdict.ts';

/** Deaths on one stage before everything is healed and judged. */
const DEATHS_PER_STAGE = 6;
/** How often a death is tried that did not come: what happens at the same time decides whether a point is passed. */
const ATTEMPTS = 3;

export interface Break {
  /** The deaths after which it was seen. */
  readonly deaths: readonly string[];
  /** Why the processes could not go on; or else the verdict says what is wrong. */
  readonly stuck?: string;
  readonly verdict?: Verdict;
}

export interface Toll {
  readonly killed: readonly Fate[];
  /** Its point was passed in the census, and never when it should have died there. */
  readonly missed: readonly Fate[];
  readonly breaks: readonly Break[];
}

/** Has the process die every death, one after the other on stages where the effects stay; heals and judges in between. */
export async function dieAll(theatre: Theatre, mode: Mode, template: Stage, fates: readonly Fate[], parallel: number, note: (line: string) => void): Promise<Toll> {
  const killed: Fate[] = [];
  const missed: Fate[] = [];
  const breaks: Break[] = [];
  let rest: readonly Fate[] = fates;
  for (let attempt = 1; attempt <= ATTEMPTS && rest.length > 0; attempt++) {
    const groups = attempt === 1 ? grouped(rest) : rest.map((fate) => [fate]);
    const survivors: Fate[] = [];
    await inParallel(parallel, groups, async (group) => {
      const together = await dieTogether(theatre, mode, template, group);
      const results = together.broken && group.length > 1 ? await dieAlone(theatre, mode, template, group) : [together];
      const died = new Set([together, ...results].flatMap((result) => result.killed));
      killed.push(...died);
      survivors.push(...results.flatMap((result) => result.survivors).filter((fate) => !died.has(fate)));
      // When none of them breaks alone, it takes all of them.
      const culprits = results.flatMap(({ broken }) => broken ?? []);
      const found = culprits.length === 0 && together.broken ? [together.broken] : culprits;
      breaks.push(...found);
      for (const broken of found) note(`BROKEN after ${broken.deaths.join(', ')}: ${broken.stuck ?? JSON.stringify(broken.verdict)}`);
      note(`${mode}: ${killed.length} of ${fates.length} deaths died`);
    });
    rest = survivors;
  }
  missed.push(...rest);
  return { killed, missed, breaks };
}

interface GroupResult {
  readonly killed: readonly Fate[];
  readonly survivors: readonly Fate[];
  readonly broken?: Break;
}

async function dieTogether(theatre: Theatre, mode: Mode, template: Stage, group: readonly Fate[]): Promise<GroupResult> {
  const stage = await Stage.open(theatre, mode, group[0]!.scenario.stage === 'empty' ? undefined : template);
  const killed: Fate[] = [];
  const survivors: Fate[] = [];
  const deaths = group.map(({ death: { name, side, pass } }) => `${name} (${side}, pass ${pass})`);
  try {
    for (const fate of group) ((await new Life(stage, fate.death).play(fate.scenario)) ? killed : survivors).push(fate);
    const verdict = await stage.heal();
    if (!isClean(verdict)) return { killed, survivors, broken: { deaths, verdict } };
    await stage.close();
    return { killed, survivors };
  } catch (error) {
    return { killed, survivors, broken: { deaths, stuck: (error as Error).message } };
  } finally {
    await stage.killAll();
  }
}

/** Each death of a broken group alone: what has broken may have kept those behind it from dying. */
async function dieAlone(theatre: Theatre, mode: Mode, template: Stage, group: readonly Fate[]): Promise<GroupResult[]> {
  const results: GroupResult[] = [];
  for (const fate of group) results.push(await dieTogether(theatre, mode, template, [fate]));
  return results;
}

/** Whoever needs a stage of its own gets one. */
function grouped(fates: readonly Fate[]): Fate[][] {
  const groups: Fate[][] = [];
  for (const fate of fates) {
    const last = groups.at(-1);
    if (!last || fate.scenario.stage || last[0]!.scenario.stage || last.length >= DEATHS_PER_STAGE) groups.push([fate]);
    else last.push(fate);
  }
  return groups;
}
