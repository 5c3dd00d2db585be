import type { Generation } from './generation.js';

/** What a process sees of a reader's lanes at one moment. */
export interface Sight {
  readonly me: string;
  /** The newest generation of each lane. */
  readonly rows: readonly Generation[];
  /** The living members of the reader's group, `me` among them, in the same order for all. */
  readonly members: readonly string[];
  /** How many lanes the readers before this one have, so that what is left over does not always fall to the same member. */
  readonly offset: number;
}

/** A lane in the hands of a process: the newest generation that it knows, and whether a transaction is in progress. */
export interface Held {
  readonly gen: number;
  readonly busy: boolean;
}

/** What a process does about the lanes it sees. */
export interface Decision {
  /** Held, but somebody else has moved them: to be dropped. */
  readonly superseded: readonly number[];
  /** Its own, but not in its hands, because it was not told that it had taken or moved them: to be taken up. */
  readonly own: readonly Generation[];
  /** Nobody's: to be claimed. */
  readonly free: readonly Generation[];
  /** Held above its share: to be given back. */
  readonly surplus: readonly number[];
}

/** The member that should have a lane: lanes are dealt in turn, so that neighbours go to different members. */
export function firstChoice(lane: number, { members, offset }: Pick<Sight, 'members' | 'offset'>): string {
  return members[(offset + lane) % members.length]!;
}

/** Whether nobody owns a lane, or nobody who lives. */
export function isFree({ owner }: Generation, members: readonly string[]): boolean {
  return owner === null || !members.includes(owner);
}

/**
 * Decides without asking again: an owner that was seen dead stays dead, because it comes back under a new name, and
 * whatever has happened since the look makes the claim collide with it.
 */
export function decide(sight: Sight, held: ReadonlyMap<number, Held>): Decision {
  const { me, rows, members } = sight;
  const share = rows.filter(({ lane }) => firstChoice(lane, sight) === me).length;
  const mineLast = (left: number, right: number) => Number(firstChoice(left, sight) === me) - Number(firstChoice(right, sight) === me);
  const superseded = rows.filter(({ lane, gen }) => held.has(lane) && !held.get(lane)!.busy && gen > held.get(lane)!.gen).map(({ lane }) => lane);
  const kept = new Set([...held.keys()].filter((lane) => !superseded.includes(lane)));
  const own = rows.filter(({ lane, owner }) => owner === me && !kept.has(lane));
  for (const { lane } of own) kept.add(lane);
  const free = rows.filter((row) => !kept.has(row.lane) && isFree(row, members));
  return {
    superseded,
    own,
    free: free.toSorted((left, right) => mineLast(right.lane, left.lane)).slice(0, Math.max(0, share - kept.size)),
    surplus: [...kept].toSorted(mineLast).slice(0, Math.max(0, kept.size - share)),
  };
}
