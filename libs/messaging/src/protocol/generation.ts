import type { StreamHint } from '../envelope.js';

/**
 * One row in the history of a lane; rows are only appended. The newest one is the lane's position, its owner and its
 * fence in one: whoever appends the next generation first is right, everybody else fails on the primary key.
 */
export interface Generation {
  readonly lane: number;
  readonly gen: number;
  /** The lane's events up to here are handled. */
  readonly n: number;
  /** The instance that may go on from here; null when any may take it. */
  readonly owner: string | null;
  /** How many owners in a row have died while they held it. */
  readonly crashes: number;
  readonly hint?: StreamHint | undefined;
}

/** `me` takes a lane whose owner has died, or that has none. */
export function claimed(newest: Generation, me: string): Generation {
  return { ...newest, gen: newest.gen + 1, owner: me, crashes: newest.crashes + (newest.owner === null ? 0 : 1) };
}

/** The owner has handled the events up to `n`; that clears its lane of the suspicion that they kill. */
export function advanced(held: Generation, n: number, hint?: StreamHint): Generation {
  return { lane: held.lane, gen: held.gen + 1, n, owner: held.owner, crashes: 0, hint: hint ?? held.hint };
}

/** The owner gives the lane back. */
export function released(held: Generation): Generation {
  return { lane: held.lane, gen: held.gen + 1, n: held.n, owner: null, crashes: 0, hint: held.hint };
}

/** A person makes the lane's reader start again behind `n`; whoever owned it, does not any more. */
export function setBack(newest: Generation, n: number): Generation {
  return { lane: newest.lane, gen: newest.gen + 1, n, owner: null, crashes: 0 };
}
