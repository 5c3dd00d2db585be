import type { Death, Side } from './death.ts';
import { crashPoints, engineFiles } from './engine.ts';
import { Life, type Scenario } from './life.ts';
import { type Mode, Stage } from './stage.ts';
import type { Theatre } from './theatre.ts';
import { inParallel } from './in-parallel.ts';
import { exceptions, type Exception } from './exceptions.ts';

/** A death, and the scenario in which it can be had. */
export interface Fate {
  readonly death: Death;
  readonly scenario: Scenario;
}

/** What can be reached in a mode, and by what. */
export interface Census {
  readonly points: readonly string[];
  readonly fates: readonly Fate[];
  /** Never passed, with the reason that is declared for it. */
  readonly excepted: readonly { readonly name: string; readonly side: Side; readonly reason: string }[];
  /** Never passed, and nobody has said why; or said to be out of reach, and passed or gone. */
  readonly problems: readonly string[];
  /** Scenarios that did not come to their end, although nobody died. */
  readonly failures: readonly string[];
  /** Passed once in the life of a process, so that there is no second pass. */
  readonly once: number;
}

/** Plays every scenario undisturbed and notes which points are passed, and how often. A death is had in the first scenario that passes it. */
export async function takeCensus(theatre: Theatre, mode: Mode, template: Stage, scenarios: readonly Scenario[], parallel: number): Promise<Census> {
  const passed = await inParallel(parallel, scenarios.filter(({ only = mode }) => only === mode), async (scenario) => {
    const stage = await Stage.open(theatre, mode, scenario.stage === 'empty' ? undefined : template);
    const life = new Life(stage);
    const failure = await life.play(scenario).then(() => stage.close(), (error: Error) => error.message);
    return { scenario, passes: life.passed(), failures: failure ? [failure] : [] };
  });
  const fates = new Map<string, Fate>();
  for (const { scenario, passes } of passed) {
    for (const [side, name, pass] of passes) {
      const key = `${side} ${pass} ${name}`;
      if (!fates.has(key)) fates.set(key, { death: { name, side, pass }, scenario });
    }
  }
  const points = engineFiles().flatMap((file) => crashPoints(file)).map(({ name }) => name!);
  // The first passes first: should somebody lose patience, every point was killed at once.
  return { points, fates: [...fates.values()].toSorted((left, right) => left.death.pass - right.death.pass), failures: passed.flatMap(({ failures }) => failures), ...judgeMissing(mode, points, fates) };
}

function judgeMissing(mode: Mode, points: readonly string[], fates: ReadonlyMap<string, Fate>): Pick<Census, 'excepted' | 'problems' | 'once'> {
  const excepted: { name: string; side: Side; reason: string }[] = [];
  const problems: string[] = [];
  const used = new Set<Exception>();
  let once = 0;
  for (const name of points) {
    for (const side of ['asked', 'answered'] as const) {
      const exception = exceptions.find((candidate) => candidate.modes.includes(mode) && candidate.points.test(name) && (candidate.side ?? side) === side);
      if (exception) used.add(exception);
      if (fates.has(`${side} 1 ${name}`)) {
        if (exception && !exception.perhaps) problems.push(`"${name}" (${side}) is said to be out of reach, but was passed: remove it from exceptions.ts.`);
        if (!fates.has(`${side} 2 ${name}`)) once += 1;
      } else if (exception) excepted.push({ name, side, reason: exception.reason });
      else problems.push(`"${name}" (${side}) was never passed: write a scenario that passes it, or say in exceptions.ts why none can.`);
    }
  }
  for (const exception of exceptions) {
    if (exception.modes.includes(mode) && !used.has(exception)) problems.push(`exceptions.ts names ${exception.points}, and there is no such point: remove it.`);
  }
  return { excepted, problems, once };
}

