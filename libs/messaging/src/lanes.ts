import { createHash } from 'node:crypto';

/** Hash slots of a log. Order is kept inside a lane; lanes run in parallel. */
export const LANES = 32;

/** Lanes that one tenant touches, so that a noisy one cannot occupy them all. */
const LANES_PER_TENANT = 4;

/** The lane of an aggregate: a base that depends on the tenant plus a small hash of the aggregate. Stable for ever. */
export function laneOf(tenantId: string, aggregateType: string, aggregateId: string): number {
  return (baseOf(tenantId) + (hash(`${aggregateType}/${aggregateId}`) % LANES_PER_TENANT)) % LANES;
}

/** A process works for the same tenants again and again, and hashing costs more than most of what a command computes. */
const bases = new Map<string, number>();
const MOST_BASES = 10_000;

function baseOf(tenantId: string): number {
  let base = bases.get(tenantId);
  if (base === undefined) {
    if (bases.size >= MOST_BASES) bases.clear();
    bases.set(tenantId, (base = hash(tenantId) % LANES));
  }
  return base;
}

function hash(text: string): number {
  return createHash('md5').update(text).digest().readUInt32BE();
}
