import { createHash } from 'node:crypto';

/** Hash slots of a log. Order is kept inside a lane; lanes run in parallel. */
export const LANES = 32;

/** Lanes that one tenant touches, so that a noisy one cannot occupy them all. */
const LANES_PER_TENANT = 4;

/** The lane of an aggregate: a base that depends on the tenant plus a small hash of the aggregate. Stable for ever. */
export function laneOf(tenantId: string, aggregateType: string, aggregateId: string): number {
  const base = hash(tenantId) % LANES;
  return (base + (hash(`${aggregateType}/${aggregateId}`) % LANES_PER_TENANT)) % LANES;
}

function hash(text: string): number {
  return createHash('md5').update(text).digest().readUInt32BE();
}
