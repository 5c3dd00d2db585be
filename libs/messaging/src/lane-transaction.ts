import type { PoolClient } from 'pg';
import { type ContextDatabase, inOneWrite, sqlState, type Statement, Transaction, UnitOfWork } from '@nestbox/persistence';
import { HandlersFailed } from './deliveries.js';
import type { StreamHint } from './envelope.js';
import type { Lane } from './lane.js';
import type { LaneClaims } from './lane-claims.js';
import { advanced } from './protocol/generation.js';

/** Another process owns the lane now, or may do so: this one was paused for too long to know. Nothing was changed. */
export class LaneLost extends Error {
  constructor(lane: number) {
    super(`Lane ${lane} belongs, or may belong, to another process now.`);
    this.name = new.target.name;
  }
}

/**
 * A process that is paused in the middle must not hold its rows: the server ends its transaction after this time, and
 * whoever took the lane goes on. The text is constant, so BEGIN cannot fail because of a setting; should it fail
 * otherwise, the fence sent behind it misses the mark that is set here, and stores nothing on its own.
 */
const BEGIN = "begin; set local nestbox.fence = 'open'; set local idle_in_transaction_session_timeout = '1500ms'; set local lock_timeout = '1s'; set local statement_timeout = '5s'";

/** Where a lane stands after a transaction. */
export interface Step {
  readonly n: number;
  readonly hint?: StreamHint | undefined;
}

/** A transaction of a lane, for whoever works in it. */
export interface LaneWork {
  readonly transaction: Transaction;
  /** Commits less than was intended: the lane will stand here. */
  stopAt(step: Step): void;
}

/**
 * One fenced transaction of a lane's owner: it first appends the lane's next generation, then does `work` in a unit of
 * work, then commits both together. A process that no longer owns the lane fails at the first statement. The work does not
 * wait for that; its own statements wait, but for those that only read and lock, and go behind it.
 * @param work returns further statements for the same transaction
 * @throws LaneLost, or whatever `work` or the database throws; then nothing has changed
 */
export async function laneTransaction(
  db: ContextDatabase,
  claims: LaneClaims,
  lane: Lane,
  step: Step,
  work: (within: LaneWork) => Promise<readonly Statement[]>,
): Promise<void> {
  const begunAt = performance.now();
  const client = await db.enginePool.connect();
  const next = advanced(lane, step.n, step.hint);
  const { promise: begun, resolve: sent } = Promise.withResolvers<void>();
  const transaction = new Transaction(client, db.dataSource, begun);
  const unit = UnitOfWork.within(db, transaction);
  try {
    let reached = next;
    const stopAt = ({ n, hint }: Step) => {
      reached = advanced(lane, n, hint);
    };
    const working = unit.scope(() => work({ transaction, stopAt }));
    // Behind the first steps of the work: those take less time than to send anything.
    sent(begin(client, db.prepared.named(claims.fence(next)), lane));
    // A handler that was given up may still use the connection: nobody else gets it.
    working.catch((error: unknown) => {
      if (error instanceof HandlersFailed && error.stillAtWork) transaction.finish(error);
    });
    const [opened, worked] = await Promise.allSettled([begun, working]);
    // What the work has met in a transaction that was not to be is only what follows from that.
    if (opened.status === 'rejected') throw opened.reason;
    if (worked.status === 'rejected') throw worked.reason;
    const statements = [...worked.value];
    if (reached !== next) statements.push(claims.correct(reached));
    await unit.commit(statements);
    lane.moved(reached, begunAt);
  } finally {
    await unit.end();
  }
}

/** Sends BEGIN and the fence. @throws LaneLost */
async function begin(client: PoolClient, { name, text, values }: Statement, lane: Lane): Promise<void> {
  const sent = inOneWrite(client, () => [client.query(BEGIN), client.query({ ...(name && { name }), text, values: values as unknown[] })] as const);
  const [begun, fenced] = await Promise.allSettled(sent);
  if (begun.status === 'rejected') throw begun.reason;
  if (fenced.status === 'rejected') throw sqlState(fenced.reason) === '23505' ? new LaneLost(lane.lane) : fenced.reason;
  if (fenced.value.rowCount !== 1) throw new LaneLost(lane.lane);
  // Its key was free; but it is free, too, when it was taken so long ago that it is pruned.
  if (!lane.trusted) throw new LaneLost(lane.lane);
}
