import { type ContextDatabase, inOneWrite, sqlState, type Statement, Transaction, UnitOfWork } from '@nestbox/persistence';
import type { StreamHint } from './envelope.js';
import type { Lane } from './lane.js';
import type { LaneClaims } from './lane-claims.js';

/** Another process owns the lane now. Nothing was changed. */
export class LaneLost extends Error {
  constructor(lane: number) {
    super(`Lane ${lane} belongs to another process now.`);
    this.name = new.target.name;
  }
}

/**
 * A process that is paused in the middle must not hold its rows: the server ends its transaction after this time, and
 * whoever took the lane goes on. The text is constant, so BEGIN cannot fail because of a setting.
 */
const BEGIN = "begin; set local idle_in_transaction_session_timeout = '1500ms'; set local lock_timeout = '1s'; set local statement_timeout = '5s'";

/** Where a lane stands after a transaction. */
export interface Step {
  readonly n: number;
  readonly hint?: StreamHint | undefined;
}

/**
 * One fenced transaction of a lane's owner: it first appends the lane's next generation, then does `work` in a unit of
 * work, then commits both together. A process that no longer owns the lane fails at the first statement.
 * @param work returns further statements for the same transaction
 * @throws LaneLost, or whatever `work` or the database throws; then nothing has changed
 */
export async function laneTransaction(
  db: ContextDatabase,
  claims: LaneClaims,
  lane: Lane,
  step: Step,
  work: () => Promise<readonly Statement[]>,
): Promise<void> {
  const transaction = new Transaction(await db.enginePool.connect(), db.dataSource);
  const unit = UnitOfWork.within(db, transaction);
  try {
    const fence = claims.fence(lane.lane, lane.gen, step.n, step.hint ?? lane.hint);
    const { client } = transaction;
    const [begun, fenced] = await Promise.allSettled(inOneWrite(client, () => [client.query(BEGIN), client.query(fence.text, fence.values as unknown[])] as const));
    if (begun.status === 'rejected') throw begun.reason;
    if (fenced.status === 'rejected') throw sqlState(fenced.reason) === '23505' ? new LaneLost(lane.lane) : fenced.reason;
    const statements = await unit.scope(work);
    await unit.commit(statements);
    lane.moved(step.n, step.hint);
  } finally {
    await unit.end();
  }
}
