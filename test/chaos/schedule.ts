import { randomOf } from './random.ts';

/** How the application under chaos runs. */
export const MODES = ['in-process', 'nats', 'split'] as const;
export type Mode = (typeof MODES)[number];

export const FAULTS = [
  'service-kill', 'service-pause', 'service-restart',
  'postgres-terminate', 'postgres-fast', 'postgres-immediate', 'postgres-away', 'postgres-slow', 'postgres-hole', 'postgres-forget',
  'nats-kill', 'nats-away', 'nats-hole', 'nats-forget', 'stream-delete', 'stream-purge', 'stream-duplicate', 'stream-stale',
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** One thing that goes wrong. */
export interface Fault {
  /** Since the start, in ms. */
  readonly at: number;
  readonly kind: FaultKind;
  /** How long it lasts, in ms; 0 for what is over at once. */
  readonly lasts: number;
  /** From 0 to 1: which of the services, streams or messages it meets. */
  readonly whom: number;
}

interface Rule {
  /** How often, compared with the others. */
  readonly weight: number;
  readonly lasts?: readonly [from: number, to: number];
  /** Only where there is a broker. */
  readonly broker?: boolean;
}

/** A lease lives for 2 s: a pause is longer. */
const RULES: Readonly<Record<FaultKind, Rule>> = {
  'service-kill': { weight: 5, lasts: [0, 1_500] },
  'service-pause': { weight: 4, lasts: [2_200, 6_000] },
  'service-restart': { weight: 2, lasts: [0, 500] },
  'postgres-terminate': { weight: 4 },
  'postgres-fast': { weight: 1 },
  'postgres-immediate': { weight: 1 },
  'postgres-away': { weight: 1, lasts: [1_000, 20_000] },
  'postgres-slow': { weight: 2, lasts: [1_000, 4_000] },
  'postgres-hole': { weight: 2, lasts: [1_000, 5_000] },
  'postgres-forget': { weight: 1 },
  'nats-kill': { weight: 2, broker: true },
  'nats-away': { weight: 1, lasts: [1_000, 8_000], broker: true },
  'nats-hole': { weight: 2, lasts: [1_000, 6_000], broker: true },
  'nats-forget': { weight: 1, broker: true },
  'stream-delete': { weight: 1, broker: true },
  'stream-purge': { weight: 1, broker: true },
  'stream-duplicate': { weight: 2, broker: true },
  'stream-stale': { weight: 2, broker: true },
};

/** Between two faults, in ms: on average half of it, so faults overlap. */
const SPACING = 4_000;
/** A fault lasts no longer than this part of the whole. */
const LONGEST_PART = 0.34;

/** What goes wrong, and when. The same arguments give the same schedule. */
export function scheduleOf(seed: number, lengthMs: number, mode: Mode, only: readonly FaultKind[] = FAULTS): Fault[] {
  const random = randomOf(seed ^ (MODES.indexOf(mode) << 24));
  const kinds = only.filter((kind) => mode !== 'in-process' || !RULES[kind].broker);
  const whole = kinds.reduce((sum, kind) => sum + RULES[kind].weight, 0);
  const faults: Fault[] = [];
  if (whole === 0) return faults;
  for (let at = random() * SPACING; at < lengthMs; at += random() * SPACING) {
    let place = random() * whole;
    const kind = kinds.find((candidate) => (place -= RULES[candidate].weight) < 0)!;
    const [from, to] = RULES[kind].lasts ?? [0, 0];
    const lasts = Math.min(from + random() ** 2 * (to - from), lengthMs * LONGEST_PART);
    faults.push({ at: Math.round(at), kind, lasts: Math.round(lasts), whom: random() });
  }
  return faults;
}
