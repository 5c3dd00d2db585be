import { ConcurrencyConflict, isConnectionError, isTransient, sqlState, type Transaction } from '@nestbox/persistence';
import type { StoredEvent } from './envelope.js';
import type { EventHandler } from './handlers.js';

/** What a transaction of a lane should take at most, in ms. A handler that alone takes longer is named in the log. */
export const BUDGET_MS = 200;
/** How long a handler may keep its transaction idle, in ms: less than the server's own limit, which tells nobody's name. */
const PATIENCE_MS = 1_200;
/** A timer that comes so late, in ms, was held up by somebody who blocked the event loop. */
const LATE_MS = 200;
/** A transaction whose connection was lost while the process was busy for so long, in ms, was its own undoing. */
const BLOCKED_MS = 1_000;
/** How soon to look again at handlers that wait for the database, in ms. */
const LOOK_AGAIN_MS = 100;

/** A handler was given up: it waits for something else than its transaction, which holds up its lane and its rows. */
export class HandlerTooSlow extends Error {
  constructor(handler: string, readonly tookMs: number) {
    super(
      `${handler} was still at work after ${Math.round(tookMs)} ms and kept the transaction of its lane waiting. A handler works on its context's database and awaits nothing else: ` +
        'let a process outside of the engine talk to others, and tell the context by a command.',
    );
    this.name = new.target.name;
  }
}

/** A handler could not reach somebody, or lost them: not the database, whose connection works. */
export class OtherServiceLost extends Error {
  constructor(handler: string, cause: Error) {
    super(`${handler} has no connection to a service outside of its database: ${cause.message || (cause as { code?: string }).code}`, { cause });
    this.name = new.target.name;
  }
}

/** A handler that failed on an event. */
export interface Failure {
  readonly handler: EventHandler;
  readonly event: StoredEvent;
  readonly cause: unknown;
}

/** Handlers failed in a transaction, in this order. */
export class HandlersFailed extends Error {
  /** @param stillAtWork whether some were given up and may go on using their connection */
  constructor(readonly failures: readonly Failure[], readonly stillAtWork = false) {
    super(`${failures.map(({ handler }) => handler.name).join(', ')} failed`, { cause: failures[0]!.cause });
    this.name = new.target.name;
  }
}

/** True for errors that pass when the same work is tried again, and that never count as the handler's failure. */
export function isContention(error: unknown): boolean {
  const causes = error instanceof HandlersFailed ? error.failures.map(({ cause }) => cause) : [error];
  return causes.every((cause) => cause instanceof ConcurrencyConflict || isTransient(cause));
}

/** The error that came first. */
export function mainCause(error: unknown): unknown {
  return error instanceof HandlersFailed ? error.cause : error;
}

/** The server gives up a transaction that stands still: here because the whole process did. */
export function lostByBlocking(error: unknown, since: ReturnType<typeof performance.eventLoopUtilization>): boolean {
  return isConnectionError(mainCause(error)) && performance.eventLoopUtilization(since).active > BLOCKED_MS;
}

interface Delivery {
  readonly handler: EventHandler;
  readonly event: StoredEvent;
  since: number;
}

/** The handlers at work in one transaction. */
export class Deliveries {
  private readonly running = new Set<Delivery>();
  private readonly failures: Failure[] = [];

  /** @param slow told of every handler that takes longer than the budget of a transaction */
  constructor(private readonly transaction: Transaction, private readonly slow: (handler: string, tookMs: number) => void) {}

  /** Lets a handler work; how it ends is told by {@link settled}. */
  async run(handler: EventHandler, event: StoredEvent, work: () => Promise<void>): Promise<void> {
    const delivery = { handler, event, since: performance.now() };
    this.running.add(delivery);
    try {
      await work();
    } catch (cause) {
      // Without an SQLSTATE the error is a socket's, and only the transaction can tell whether it is its own.
      const other = isConnectionError(cause) && sqlState(cause) === undefined && this.transaction.connected;
      this.failures.push({ handler, event, cause: other ? new OtherServiceLost(handler.name, cause as Error) : cause });
    } finally {
      this.running.delete(delivery);
      const tookMs = performance.now() - delivery.since;
      if (tookMs > BUDGET_MS) this.slow(handler.name, tookMs);
    }
  }

  /**
   * Waits until all handlers have ended: nobody may still be at work when a transaction is rolled back. Only those that
   * keep it idle for too long are not waited for.
   * @throws HandlersFailed
   */
  async settled(work: readonly Promise<void>[]): Promise<void> {
    const overdue = await this.allOrOverdue(work);
    if (overdue.length > 0) {
      const now = performance.now();
      throw new HandlersFailed(overdue.map(({ handler, event, since }) => ({ handler, event, cause: new HandlerTooSlow(handler.name, now - since) })), true);
    }
    // After the first error every other statement fails, too, and says only that.
    const causes = this.failures.filter(({ cause }) => sqlState(cause) !== '25P02');
    if (this.failures.length > 0) throw new HandlersFailed(causes.length > 0 ? causes : this.failures);
  }

  private allOrOverdue(work: readonly Promise<void>[]): Promise<Delivery[]> {
    return new Promise((resolve) => {
      let expected = performance.now() + PATIENCE_MS;
      const look = () => {
        const overdue = this.overdue(performance.now() - expected);
        if (overdue.length > 0) return resolve(overdue);
        expected = performance.now() + LOOK_AGAIN_MS;
        timer = setTimeout(look, LOOK_AGAIN_MS);
      };
      let timer = setTimeout(look, PATIENCE_MS);
      void Promise.all(work).then(() => {
        clearTimeout(timer);
        resolve([]);
      });
    });
  }

  private overdue(lateMs: number): Delivery[] {
    // Time in which nobody could do anything counts for nobody.
    if (lateMs > LATE_MS) for (const delivery of this.running) delivery.since += lateMs;
    const now = performance.now();
    return this.transaction.idle ? [...this.running].filter(({ since }) => now - since >= PATIENCE_MS) : [];
  }
}
