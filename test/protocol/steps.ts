import { advanced, released, setBack } from '../../libs/messaging/src/protocol/generation.ts';
import { leaseHolds } from '../../libs/messaging/src/protocol/lease.ts';
import type { Rules } from './rules.ts';
import { changed, committed, locked, newestOf, type Process, renamed, renewing, started, ticked, type World } from './world.ts';

/** A step from one world to the next. */
export interface Step {
  readonly name: () => string;
  readonly world: World;
  /** Nothing went wrong in it: what must be possible without luck is possible with these alone. */
  readonly good: boolean;
}

/** What must never happen. */
export class Violation extends Error {}

/** Everything that can happen next. @throws Violation */
export function* steps(world: World, rules: Rules): Generator<Step> {
  for (const process of world.processes) {
    if (process.up) yield* stepsOf(process, world, rules);
    else yield { name: () => `${process.id} starts again`, world: renamed(world, process.id, started(process.id, rules)), good: true };
    if (process.appending) yield* append(process, world, rules);
    if (process.batch && (process.batch.phase === 'fenced' || process.batch.phase === 'working')) {
      yield { name: () => `the server ends the transaction of ${process.id}`, world: changed(world, process, { batch: { ...process.batch, phase: 'ended' } }), good: false };
    }
  }
  yield { name: () => 'a tick', world: ticked(world, rules), good: false };
  yield { name: () => 'a tick, in which the living renew their leases', world: renewing(world, ticked(world, rules), rules), good: true };
  if (!locked(world, 1) && world.setBacks > 0 && world.done > 0) {
    yield { name: () => 'a person sets the lane back', world: { ...committed(world, setBack(newestOf(world), 0)), done: 0, setBacks: world.setBacks - 1 }, good: false };
  }
}

function* stepsOf(process: Process, world: World, rules: Rules): Generator<Step> {
  const { id } = process;
  yield { name: () => `${id} crashes`, world: changed(world, process, { ...started(id, rules), up: false, left: process.left, appending: process.appending }), good: false };
  if (process.left > 0) {
    const members = world.processes.filter((other) => other === process || other.left > 0).map((member) => member.id);
    for (const seen of rules.blind ? subsetsWith(id, members) : [members]) {
      const sight = { newest: newestOf(world), members: seen.join(''), age: 0 };
      const renewed = { ...process, left: rules.terms.ttl, renewed: 0 };
      if (rules.delayed) yield { name: () => `${id} renews its lease and looks, with ${seen.join()} alive`, world: changed(world, process, { ...renewed, sight }), good: true };
      else if (process.appending) yield { name: () => `${id} renews its lease`, world: changed(world, process, renewed), good: true };
      else yield { name: () => `${id} renews its lease and acts, with ${seen.join()} alive`, world: act({ ...renewed, sight }, world, rules), good: true };
    }
  } else {
    // What is on its way under the old id stays on its way.
    const { appending, batch } = process;
    yield { name: () => `${id} has lost its lease and joins again`, world: renamed(changed(world, process, { ...started(id, rules), appending, batch }), id), good: true };
  }
  if (process.sight && !process.appending) yield { name: () => `${id} acts on what it has seen`, world: act(process, world, rules), good: true };
  if (process.batch) yield* batch(process, world, rules);
  else if (process.held && !process.appending && process.held.n < rules.events && leaseHolds(process.renewed, rules.terms) && rules.looksTrue(process.held.confirmed, rules.terms)) {
    const { gen, n } = process.held;
    const row = advanced({ lane: 0, gen, n, owner: id, crashes: 0 }, n + 1);
    yield { name: () => `${id} begins with event ${n + 1}`, world: changed(world, process, { batch: { row, phase: 'sent', confirmed: process.held.confirmed } }), good: true };
  }
}

function act(process: Process, world: World, rules: Rules): World {
  const { id } = process;
  const { newest, members, age } = process.sight!;
  let { held, batch } = process;
  if (held && held.gen === newest.gen && newest.owner === id) {
    const confirmed = Math.min(held.confirmed, age);
    if (batch && isOf(batch, held)) batch = { ...batch, confirmed };
    held = { ...held, confirmed };
  }
  const before = new Map(held ? [[0, { gen: held.gen, busy: batch !== undefined }]] : []);
  const { superseded, own, free, surplus } = rules.decide({ me: id, rows: [newest], members: [...members].toSorted(), offset: 0 }, before);
  if (superseded.length > 0) held = undefined;
  if (own[0]) held = { gen: own[0].gen, n: own[0].n, confirmed: age };
  let row = free[0] && rules.claimed(free[0], id);
  if (surplus.length > 0 && held && !batch) {
    row = { ...released({ lane: 0, gen: held.gen, n: held.n, owner: id, crashes: 0 }) };
    held = undefined;
  }
  return changed(world, process, { ...process, held, batch, sight: undefined, appending: row && { row, seen: age } });
}

/** A claim or a release reaches the database; also after the death of who has sent it. */
function* append(process: Process, world: World, rules: Rules): Generator<Step> {
  const { row, seen } = process.appending!;
  const { id } = process;
  if (locked(world, row.gen)) {
    yield { name: () => `the statement of ${id} gives up waiting for the lane`, world: changed(world, process, { appending: undefined }), good: true };
    return;
  }
  if (world.rows.some(({ gen }) => gen === row.gen)) {
    yield { name: () => `the statement of ${id} comes too late`, world: changed(world, process, { appending: undefined }), good: true };
    return;
  }
  if (world.rows.length >= rules.rows) return;
  const unanswered = changed(world, process, { appending: undefined });
  yield { name: () => `generation of ${row.owner ?? 'nobody'} appended, ${id} is not told`, world: committed(unanswered, row), good: false };
  if (!process.up) return;
  const told = row.owner === id ? { held: { gen: row.gen, n: row.n, confirmed: seen } } : { sight: undefined };
  yield { name: () => `generation of ${row.owner ?? 'nobody'} appended for ${id}`, world: committed(changed(world, process, { appending: undefined, ...told }), row), good: true };
}

function* batch(process: Process, world: World, rules: Rules): Generator<Step> {
  const { id, held } = process;
  const { row, phase, confirmed } = process.batch!;
  const still = held && isOf(process.batch!, held) ? held : undefined;
  const lost = { batch: undefined, held: still ? undefined : held, sight: undefined };
  switch (phase) {
    case 'sent':
      if (rules.fence && locked(world, row.gen)) yield { name: () => `${id} gives up waiting for its fence`, world: changed(world, process, { batch: undefined }), good: true };
      else if (rules.fence && world.rows.some(({ gen }) => gen === row.gen)) yield { name: () => `${id} finds that the lane was moved`, world: changed(world, process, lost), good: true };
      else yield { name: () => `the fence of ${id} for event ${row.n} is there`, world: changed(world, process, { batch: { ...process.batch!, phase: 'fenced' } }), good: true };
      return;
    case 'fenced':
      if (!rules.looksTrue(confirmed, rules.terms)) yield { name: () => `${id} does not trust its fence`, world: changed(world, process, lost), good: true };
      else yield { name: () => `${id} works on event ${row.n}`, world: changed(rules.together ? world : effect(world, row.n), process, { batch: { ...process.batch!, phase: 'working' } }), good: true };
      return;
    case 'working': {
      if (world.rows.length >= rules.rows) return;
      const after = rules.together ? effect(world, row.n) : world;
      yield { name: () => `event ${row.n} is committed, ${id} is not told`, world: committed(changed(after, process, { batch: undefined }), row), good: false };
      // Told at once, which is more than the engine believes: it counts from the beginning of the transaction.
      const moved = still ? { gen: row.gen, n: row.n, confirmed: 0 } : held;
      yield { name: () => `event ${row.n} is committed for ${id}`, world: committed(changed(after, process, { batch: undefined, held: moved }), row), good: true };
      return;
    }
    case 'ended':
      yield { name: () => `${id} learns that its transaction was ended`, world: changed(world, process, { batch: undefined }), good: true };
  }
}

/** Whether a batch goes on with the lane that is held. */
function isOf(batch: NonNullable<Process['batch']>, held: NonNullable<Process['held']>): boolean {
  return batch.row.gen === held.gen + 1;
}

function effect(world: World, n: number): World {
  if (n <= world.done) throw new Violation(`the effect of event ${n} is committed twice`);
  if (n > world.done + 1) throw new Violation(`event ${n} is handled before event ${world.done + 1}`);
  return { ...world, done: n };
}

function subsetsWith(id: string, members: readonly string[]): string[][] {
  return members.filter((member) => member !== id).reduce<string[][]>((sets, member) => sets.flatMap((set) => [set, [...set, member]]), [[id]]);
}
