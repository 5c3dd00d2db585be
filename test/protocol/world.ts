import type { Generation } from '../../libs/messaging/src/protocol/generation.ts';
import type { Rules } from './rules.ts';

/**
 * One lane, its owners and its database, step by step: what the engine decides is decided by the engine's own
 * functions, what the database does is modelled. Time passes in ticks. Nobody is ever in a hurry: between any two
 * steps of a process everything else may happen, so it may be paused anywhere, for any time.
 */
export interface World {
  /** The committed generations that are not pruned, oldest first; the newest has the number 0, all others are counted from it. */
  readonly rows: readonly Row[];
  /** Effects that are committed: those of the events 1 to `done`. */
  readonly done: number;
  /** How often a person may still set the lane back. */
  readonly setBacks: number;
  readonly processes: readonly Process[];
}

/** A generation, and how many ticks ago it was inserted. Of one that is superseded nothing else is ever read. */
interface Row extends Generation {
  readonly age: number;
}

export interface Process {
  /** Its id; a new one under the same letter replaces it after a crash or an expiry, and the old one becomes `GONE`. */
  readonly id: string;
  readonly up: boolean;
  /** Ticks until its membership expires, on the database's clock. */
  readonly left: number;
  /** Ticks since its last renewal, on its own. */
  readonly renewed: number;
  /** The lane in its hands. */
  readonly held: { readonly gen: number; readonly n: number; readonly confirmed: number } | undefined;
  /** What its last heartbeat has seen, and how many ticks ago; not looked at yet. */
  readonly sight: { readonly newest: Generation; readonly members: string; readonly age: number } | undefined;
  /** A claim or a release that is on its way to the database. */
  readonly appending: { readonly row: Generation; readonly seen: number } | undefined;
  /**
   * A batch: its fence is on its way, is there but unanswered, or was answered; or the server has ended it. It goes on
   * with the lane as it was taken when it began, although the process may have lost that and taken it anew meanwhile.
   */
  readonly batch: { readonly row: Generation; readonly phase: 'sent' | 'fenced' | 'working' | 'ended'; readonly confirmed: number } | undefined;
}

/** Whoever had an id that is not used any more. */
const GONE = 'x';

export function beginning(rules: Rules): World {
  return {
    rows: [{ lane: 0, gen: 0, n: 0, owner: null, crashes: 0, age: 0 }],
    done: 0,
    setBacks: rules.setBacks,
    processes: Array.from({ length: rules.processes }, (_, index) => started('abc'[index]!, rules)),
  };
}

export function started(id: string, { terms }: Rules): Process {
  return { id, up: true, left: terms.ttl, renewed: 0, held: undefined, sight: undefined, appending: undefined, batch: undefined };
}

/** Whether an open transaction holds this generation's key. */
export function locked(world: World, gen: number): boolean {
  return world.processes.some(({ batch }) => batch?.row.gen === gen && (batch.phase === 'fenced' || batch.phase === 'working'));
}

export function newestOf(world: World): Row {
  return world.rows.at(-1)!;
}

export function committed(world: World, row: Generation): World {
  const rows = [...world.rows, { ...row, age: 0 }].toSorted((left, right) => left.gen - right.gen);
  return counted({ ...world, rows: rows.map((each, index) => (index < rows.length - 1 ? { ...each, n: 0, owner: null } : each)) });
}

export function changed(world: World, process: Process, change: Partial<Process>): World {
  return { ...world, processes: world.processes.map((other) => (other.id === process.id ? { ...other, ...change } : other)) };
}

/** The old id is nobody's any more; `successor` is who has the letter now. */
export function renamed(world: World, id: string, successor?: Process): World {
  const gone = <G extends Generation>(row: G): G => (row.owner === id ? { ...row, owner: GONE } : row);
  return {
    ...world,
    rows: world.rows.map(gone),
    processes: world.processes.map((other) => {
      const { sight, appending, batch } = other;
      return {
        ...(other.id === id && successor ? { ...successor, appending } : other),
        ...(other.id !== id && sight && { sight: { ...sight, newest: gone(sight.newest), members: sight.members.replace(id, GONE) } }),
        ...(appending && { appending: { ...appending, row: gone(appending.row) } }),
        ...(batch && !(other.id === id && successor) && { batch: { ...batch, row: gone(batch.row) } }),
      };
    }),
  };
}

export function ticked(world: World, { terms, keep }: Rules): World {
  const older = (age: number) => Math.min(age + 1, terms.trust);
  // Pruned as soon as that is allowed: it only ever makes more possible.
  const rows = world.rows.map((row) => ({ ...row, age: Math.min(row.age + 1, keep) })).filter((row) => row.gen === 0 || row.age < keep);
  return {
    ...world,
    rows,
    processes: world.processes.map((process) => {
      const { held, sight, appending, batch } = process;
      return {
        ...process,
        left: Math.max(0, process.left - 1),
        renewed: Math.min(process.renewed + 1, terms.ttl),
        held: held && { ...held, confirmed: older(held.confirmed) },
        sight: sight && { ...sight, age: older(sight.age) },
        appending: appending && { ...appending, seen: older(appending.seen) },
        batch: batch && { ...batch, confirmed: older(batch.confirmed) },
      };
    }),
  };
}

export function renewing(before: World, after: World, { terms }: Rules): World {
  const alive = (index: number) => before.processes[index]!.up && before.processes[index]!.left > 0;
  return { ...after, processes: after.processes.map((process, index) => (alive(index) ? { ...process, left: terms.ttl, renewed: 0 } : process)) };
}

/** Counts generations from the newest again; what is older than all that are kept is all the same. */
function counted(world: World): World {
  const newest = newestOf(world).gen;
  if (newest === 0) return world;
  const oldest = world.rows[0]!.gen - newest;
  const known = <G extends { readonly gen: number }>(row: G): G => ({ ...row, gen: Math.max(row.gen - newest, oldest - 2) });
  const next = <G extends { readonly gen: number }>(row: G): G => ({ ...row, gen: Math.max(row.gen - newest, oldest - 1) });
  return {
    ...world,
    rows: world.rows.map((row) => ({ ...row, gen: row.gen - newest })),
    processes: world.processes.map((process) => {
      const { held, sight, appending, batch } = process;
      return {
        ...process,
        held: held && known(held),
        sight: sight && { ...sight, newest: known(sight.newest) },
        appending: appending && { ...appending, row: next(appending.row) },
        batch: batch && { ...batch, row: next(batch.row) },
      };
    }),
  };
}
