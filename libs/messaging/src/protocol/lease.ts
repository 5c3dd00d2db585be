/** The times that everybody keeps to. The model of the protocol runs with smaller ones. */
export interface Terms {
  /** How long a membership lives without a heartbeat, in ms on the database's clock. */
  readonly ttl: number;
  /** How long before that a process stops starting work, in ms on its own monotonic clock. */
  readonly safety: number;
  /** How long after a look at a lane its primary key tells whether the look still holds, in ms. */
  readonly trust: number;
}

/** The times of the engine. Generations of a lane are kept for a minute at least, six times as long as they are trusted. */
export const TERMS: Terms = { ttl: 1_900, safety: 300, trust: 10_000 };

/** How often a process renews its memberships, in ms: a crash is noticed within `ttl`, because the end of each is known. */
export const BEAT_EVERY_MS = 1_000;

/** Whether nobody else can have taken what a process owns, `age` after its last successful renewal began. */
export function leaseHolds(age: number, terms: Terms = TERMS): boolean {
  return age < terms.ttl - terms.safety;
}

/**
 * Whether the fence of a lane, last seen `age` ago, would certainly have failed if another owner had moved the lane
 * since. After longer the generation that would have been in the way may be pruned, and a process that was paused, or
 * whose statement was stuck in a network, could not tell.
 */
export function looksTrue(age: number, terms: Terms = TERMS): boolean {
  return age < terms.trust;
}
