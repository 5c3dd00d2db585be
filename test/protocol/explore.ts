import type { Rules } from './rules.ts';
import { type Step, steps, Violation } from './steps.ts';
import { beginning, type World } from './world.ts';

/** What came of an exploration. */
export interface Exploration {
  /** Different worlds that can come about. */
  readonly states: number;
  /** Steps between them. */
  readonly steps: number;
  /** The shortest way to something that must not happen, step by step; or to a world from which no way leads on. */
  readonly violation?: { readonly what: string; readonly way: readonly string[] };
}

/**
 * Finds every world that can come about, breadth first, in whatever order the steps are taken; stops at the first
 * violation. Then checks that from each of them all events can still be handled without luck: without a crash, an
 * expired lease or anybody's help.
 * @param atMost stops after so many worlds, those that are the fewest steps away, and leaves out the second check
 */
export function explore(rules: Rules, atMost = Number.POSITIVE_INFINITY): Exploration {
  const worlds: World[] = [];
  const ids = new Map<string, number>();
  const cameFrom: { readonly from: number; readonly name: Step['name'] }[] = [];
  const goodBefore: number[][] = [];
  let taken = 0;
  const visit = (world: World, from: number, name: Step['name']): number => {
    const key = encode(world);
    let id = ids.get(key);
    if (id === undefined) {
      id = worlds.push(world) - 1;
      ids.set(key, id);
      cameFrom.push({ from, name });
      goodBefore.push([]);
    }
    return id;
  };
  const way = (id: number): string[] => (id < 0 ? [] : [...way(cameFrom[id]!.from), cameFrom[id]!.name()]);
  const result = (violation?: Exploration['violation']): Exploration => ({
    states: worlds.length, steps: taken, ...(violation && { violation }),
  });

  visit(beginning(rules), -1, () => 'the beginning');
  for (let id = 0; id < worlds.length && id < atMost; id++) {
    try {
      for (const step of steps(worlds[id]!, rules)) {
        taken += 1;
        const next = visit(step.world, id, step.name);
        if (step.good) goodBefore[next]!.push(id);
      }
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      return result({ what: error.message, way: way(id) });
    }
  }
  if (worlds.length > atMost) return result();
  const stuck = firstThatCannot((world) => world.done === rules.events, worlds, goodBefore);
  return result(stuck === undefined ? undefined : { what: 'nobody goes on with the lane', way: way(stuck) });
}

/** The first world from which none that is `wanted` can be reached. */
function firstThatCannot(wanted: (world: World) => boolean, worlds: readonly World[], before: readonly (readonly number[])[]): number | undefined {
  const can = new Uint8Array(worlds.length);
  const queue = worlds.flatMap((world, id) => (wanted(world) ? [id] : []));
  for (const id of queue) can[id] = 1;
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const previous of before[id]!) {
      if (can[previous]) continue;
      can[previous] = 1;
      queue.push(previous);
    }
  }
  const stuck = can.indexOf(0);
  return stuck < 0 ? undefined : stuck;
}

const OWNERS = [null, 'a', 'b', 'c', 'x'];
const PHASES = ['sent', 'fenced', 'working', 'ended'];

/**
 * A text that is the same for the same world only. Short and flat: most of the time goes into comparing worlds. Every
 * field has room for more values than it can have here: generations down to -7, events up to 3, ages up to 3.
 */
function encode({ rows, done, setBacks, processes }: World): string {
  const newest = rows.at(-1)!;
  const older = rows.slice(0, -1).reduce((code, { gen, age }) => code + (1 + age) * 4 ** (-gen - 1), 0);
  const codes = [((done * 4 + setBacks) * 4 + newest.age) * 32 + newest.n * 5 + owner(newest), older];
  for (const { up, left, renewed, held, sight, appending, batch } of processes) {
    codes.push(
      ((up ? 1 : 0) * 4 + left) * 4 + renewed,
      (held ? 1 + at(held) * 4 + held.confirmed : 0) * 8 + (sight ? 1 + sight.age : 0),
      sight ? at(sight.newest) * 5 + owner(sight.newest) : 0,
      sight ? [...sight.members].reduce((code, member) => code | (1 << OWNERS.indexOf(member)), 0) : 0,
      appending ? 1 + (at(appending.row) * 5 + owner(appending.row)) * 4 + appending.seen : 0,
      batch ? 1 + ((at(batch.row) * 5 + owner(batch.row)) * 4 + PHASES.indexOf(batch.phase)) * 4 + batch.confirmed : 0,
    );
  }
  return String.fromCharCode(...codes);
}

function at({ gen, n }: { readonly gen: number; readonly n: number }): number {
  return (1 - gen) * 4 + n;
}

function owner(row: { readonly owner: string | null }): number {
  return OWNERS.indexOf(row.owner);
}
